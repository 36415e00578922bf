//! S3's operations on the store, as the `S3` trait of s3s has them.
//!
//! s3s reads requests, checks signatures and writes answers. Copies come by a route of their own,
//! because its parser for their source knows only the bucket names of today; see [`copy`].

mod buckets;
mod conditions;
mod copy;
mod listing;
mod multipart;
mod objects;
mod receive;
mod uploads;

use std::sync::Arc;

use s3s::{
    S3, S3Request, S3Response, S3Result, auth::SimpleAuth, dto, s3_error, service::S3Service,
    service::S3ServiceBuilder, validation::NameValidation,
};

pub(super) use self::objects::seed;
use super::{credentials::Credentials, store::Store};

/// How long a key may be, in bytes.
const KEY_LIMIT: usize = 1024;

/// The service that answers requests signed with these credentials.
pub(super) fn build(store: &Arc<Store>, credentials: &Credentials) -> S3Service {
    let mut builder = S3ServiceBuilder::new(Service { store: Arc::clone(store) });
    // With it, s3s also refuses whatever is not signed.
    builder.set_auth(SimpleAuth::from_single(&*credentials.id, &*credentials.secret));
    builder.set_validation(OldNames);
    builder.set_route(copy::Route { store: Arc::clone(store) });
    builder.build()
}

/// The names that buckets could once have, such as `Algorithmia` and `my_bucket`: 3 to 255 of
/// `A-Z a-z 0-9 . _ -`, as in Pathward's own paths.
struct OldNames;

impl NameValidation for OldNames {
    fn validate_bucket_name(&self, name: &str) -> bool {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        (3..=255).contains(&name.len()) && name.bytes().all(known)
    }
}

/// Refuses what is no key.
fn check_key(key: &str) -> S3Result<()> {
    match key.len() {
        0 => Err(s3_error!(InvalidArgument, "the key is empty")),
        1..=KEY_LIMIT => Ok(()),
        _ => Err(s3_error!(KeyTooLongError)),
    }
}

/// There is one version of each object, and its id is `null`.
fn check_version(id: Option<&str>) -> S3Result<()> {
    match id {
        None | Some("null") => Ok(()),
        Some(_) => Err(s3_error!(NoSuchVersion)),
    }
}

fn etag(value: &str) -> dto::ETag {
    dto::ETag::Strong(value.to_owned())
}

struct Service {
    store: Arc<Store>,
}

/// Each operation is a function of the store and the request.
macro_rules! operations {
    ($($operation:ident: $input:ident -> $output:ident = $module:ident;)*) => {
        #[async_trait::async_trait]
        impl S3 for Service {
            $(async fn $operation(
                &self,
                request: S3Request<dto::$input>,
            ) -> S3Result<S3Response<dto::$output>> {
                $module::$operation(&self.store, request).await
            })*
        }
    };
}

operations! {
    list_buckets: ListBucketsInput -> ListBucketsOutput = buckets;
    create_bucket: CreateBucketInput -> CreateBucketOutput = buckets;
    delete_bucket: DeleteBucketInput -> DeleteBucketOutput = buckets;
    head_bucket: HeadBucketInput -> HeadBucketOutput = buckets;
    get_bucket_location: GetBucketLocationInput -> GetBucketLocationOutput = buckets;
    put_object: PutObjectInput -> PutObjectOutput = objects;
    get_object: GetObjectInput -> GetObjectOutput = objects;
    head_object: HeadObjectInput -> HeadObjectOutput = objects;
    delete_object: DeleteObjectInput -> DeleteObjectOutput = objects;
    delete_objects: DeleteObjectsInput -> DeleteObjectsOutput = objects;
    list_objects: ListObjectsInput -> ListObjectsOutput = listing;
    list_objects_v2: ListObjectsV2Input -> ListObjectsV2Output = listing;
    create_multipart_upload: CreateMultipartUploadInput -> CreateMultipartUploadOutput = multipart;
    upload_part: UploadPartInput -> UploadPartOutput = multipart;
    complete_multipart_upload:
        CompleteMultipartUploadInput -> CompleteMultipartUploadOutput = multipart;
    abort_multipart_upload: AbortMultipartUploadInput -> AbortMultipartUploadOutput = multipart;
    list_parts: ListPartsInput -> ListPartsOutput = uploads;
    list_multipart_uploads: ListMultipartUploadsInput -> ListMultipartUploadsOutput = uploads;
}
