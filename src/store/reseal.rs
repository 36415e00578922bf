//! Sealing everything again, and taking an old key away.

use super::{
    SealKey, Store, StoreError,
    change::{LABEL, text_of},
    folder::Edits,
    stored::Reading,
};
use crate::policy::{
    Connection, CredentialsRef, Policy, Sealed,
    written::{self, Written},
};

impl Store {
    /// Seals everything that is sealed again, with the first of the keys that open it now, or with
    /// the first of another key. Returns how many credentials that were.
    ///
    /// Nobody else seals meanwhile. A process that is killed leaves some of them sealed anew and others
    /// not; what runs then has to have both keys, and this is called again.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoSealKey`]; [`StoreError::SealKey`]; [`StoreError::Sealed`]: something does not
    /// open, or would not open with the new key alone; [`StoreError::NotEditable`]: a connection's
    /// credentials cannot be changed where they stand. Nothing was changed then.
    pub fn reseal(&self, with: Option<&SealKey>) -> Result<usize, StoreError> {
        let old = self.inner.seal.as_deref().ok_or(StoreError::NoSealKey)?;
        self.update(LABEL, |files, policy| {
            let new = with.unwrap_or(old).sealing()?;
            let mut reading = Reading::default();
            let mut edits = Edits::new();
            let mut count = 0;
            for (connection, sealed) in all_sealed(policy) {
                let Some(one) = reading.find(files, connection) else {
                    let file = &*connection.location().file;
                    return Err(self.by_hand(file, "the connection is not found in it again"));
                };
                let content = old.open(sealed).map_err(StoreError::Sealed)?;
                let endpoint = content.endpoint.as_deref();
                let again = new.seal(&content.secret, &content.owner, endpoint)?;
                new.open(&again).map_err(StoreError::Sealed)?;
                let text = match edits.get(&one.name) {
                    Some(Some(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
                    _ => text_of(files, &one.name)?.to_owned(),
                };
                let credentials = Some(CredentialsRef::Sealed(again));
                let wanted = Written { credentials, ..one.written.clone() };
                let changed =
                    written::replace(&text, connection.owner(), &one.written.label, &wanted)
                        .map_err(|why| self.by_hand(&one.name, why))?;
                edits.insert(one.name, Some(changed.into_bytes()));
                count += 1;
            }
            Ok((edits, count))
        })
        .map(|(count, _)| count)
    }

    /// Does something, such as taking an old key away, that may only be done while everything that is
    /// sealed opens with the first of these keys alone. Nobody changes the store meanwhile.
    ///
    /// # Errors
    ///
    /// [`StoreError::Sealed`]: something does not open, and nothing was done; and those of `then`.
    pub fn while_all_open(
        &self,
        key: &SealKey,
        then: impl FnOnce() -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.while_locked(|policy| {
            let key = key.sealing()?;
            for (_, sealed) in all_sealed(policy) {
                key.open(sealed).map_err(StoreError::Sealed)?;
            }
            then()
        })
    }
}

/// The connections whose credentials are sealed.
fn all_sealed(policy: &Policy) -> impl Iterator<Item = (&Connection, &Sealed)> {
    policy.connections().iter().filter_map(|connection| match connection.credentials() {
        Some(CredentialsRef::Sealed(sealed)) => Some((&**connection, sealed)),
        _ => None,
    })
}
