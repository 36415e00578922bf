//! Checksums that a body is to have, made while it comes.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use crc_fast::CrcAlgorithm;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

/// How a checksum is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// MD5, 16 bytes.
    Md5,
    /// CRC-32 of ISO-HDLC, as in gzip: 4 bytes, the first counting most.
    Crc32,
    /// CRC-32C of Castagnoli: 4 bytes, the first counting most.
    Crc32c,
    /// CRC-64/NVME: 8 bytes, the first counting most.
    Crc64Nvme,
    /// SHA-1, 20 bytes.
    Sha1,
    /// SHA-256, 32 bytes.
    Sha256,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Md5, Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    /// The header that has a checksum of this kind, in Base64, in S3's protocol.
    pub const fn header(self) -> &'static str {
        match self {
            Self::Md5 => "content-md5",
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// How many bytes a checksum of this kind has.
    const fn len(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }
}

/// The checksum of some bytes. It tells bytes that came wrong, and is no secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Checksum {
    algorithm: Algorithm,
    value: Box<[u8]>,
}

impl Checksum {
    /// A checksum of this kind. `None` if it has another number of bytes.
    pub fn new(algorithm: Algorithm, value: &[u8]) -> Option<Self> {
        (value.len() == algorithm.len()).then(|| Self { algorithm, value: value.into() })
    }

    /// Reads one as headers have it, in Base64 with padding. `None` for what is none of this kind.
    ///
    /// ```
    /// use pathward::executor::{Algorithm, Checksum, Sum};
    ///
    /// let said = Checksum::from_base64(Algorithm::Crc32, "DUoRhQ==").expect("a CRC-32");
    /// let mut sum = Sum::new(Algorithm::Crc32);
    /// sum.update(b"hello ");
    /// sum.update(b"world");
    /// assert_eq!(sum.finish(), said);
    /// assert_eq!(Checksum::from_base64(Algorithm::Crc32, "DUoRhQ"), None);
    /// ```
    pub fn from_base64(algorithm: Algorithm, text: &str) -> Option<Self> {
        Self::new(algorithm, &BASE64_STANDARD.decode(text).ok()?)
    }

    /// How it was made.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Its bytes, the first counting most.
    pub fn as_bytes(&self) -> &[u8] {
        &self.value
    }
}

/// A checksum being made.
#[derive(Clone, Debug)]
pub struct Sum(State);

#[derive(Clone, Debug)]
enum State {
    Md5(Md5),
    Crc(Algorithm, crc_fast::Digest),
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Sum {
    /// Of no bytes yet.
    pub fn new(algorithm: Algorithm) -> Self {
        let crc = |crc| State::Crc(algorithm, crc_fast::Digest::new(crc));
        Self(match algorithm {
            Algorithm::Md5 => State::Md5(Md5::new()),
            Algorithm::Crc32 => crc(CrcAlgorithm::Crc32IsoHdlc),
            Algorithm::Crc32c => crc(CrcAlgorithm::Crc32Iscsi),
            Algorithm::Crc64Nvme => crc(CrcAlgorithm::Crc64Nvme),
            Algorithm::Sha1 => State::Sha1(Sha1::new()),
            Algorithm::Sha256 => State::Sha256(Sha256::new()),
        })
    }

    /// Of these bytes behind those before.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Md5(sum) => sum.update(bytes),
            State::Crc(_, sum) => sum.update(bytes),
            State::Sha1(sum) => sum.update(bytes),
            State::Sha256(sum) => sum.update(bytes),
        }
    }

    /// The checksum of all of them.
    pub fn finish(self) -> Checksum {
        let (algorithm, value): (_, Box<[u8]>) = match self.0 {
            State::Md5(sum) => (Algorithm::Md5, sum.finalize()[..].into()),
            State::Crc(algorithm, sum) => {
                let bytes = sum.finalize().to_be_bytes();
                (algorithm, bytes[bytes.len() - algorithm.len()..].into())
            }
            State::Sha1(sum) => (Algorithm::Sha1, sum.finalize()[..].into()),
            State::Sha256(sum) => (Algorithm::Sha256, sum.finalize()[..].into()),
        };
        Checksum { algorithm, value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::escape::hex;

    /// The check values of the catalogue of CRCs, and of RFC 1321, RFC 3174 and FIPS 180.
    #[test]
    fn checksums_are_those_of_their_standards() {
        for (algorithm, of_digits) in [
            (Algorithm::Md5, "25f9e794323b453885f5181f1b624d0b"),
            (Algorithm::Crc32, "cbf43926"),
            (Algorithm::Crc32c, "e3069283"),
            (Algorithm::Crc64Nvme, "ae8b14860a799888"),
            (Algorithm::Sha1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
            (Algorithm::Sha256, "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"),
        ] {
            // However the bytes come.
            for piece in [1, 4, 9] {
                let mut sum = Sum::new(algorithm);
                b"123456789".chunks(piece).for_each(|bytes| sum.update(bytes));
                let made = sum.finish();
                assert_eq!(hex(made.as_bytes()), of_digits, "{algorithm:?}");
                assert_eq!(made.algorithm(), algorithm);
                assert_eq!(Checksum::new(algorithm, made.as_bytes()), Some(made.clone()));
                let text = BASE64_STANDARD.encode(made.as_bytes());
                assert_eq!(Checksum::from_base64(algorithm, &text), Some(made));
            }
        }
    }

    #[test]
    fn what_is_no_checksum_is_none() {
        for algorithm in Algorithm::ALL {
            for text in ["", "AAAA", "nonsense", "AAAAAAA=", "AAAAAA", " AAAAAA=="] {
                assert_eq!(Checksum::from_base64(algorithm, text), None, "{algorithm:?} {text}");
            }
        }
    }
}
