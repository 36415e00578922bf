//! Where requests to a named endpoint go. The client's own rules come to the same, and take a tenth
//! of a small request's time, for they are asked twice.

use aws_runtime::user_agent::UserAgentInterceptor;
use aws_sdk_s3::config::endpoint::{Endpoint, EndpointFuture, Params, ResolveEndpoint};
use aws_sdk_s3::config::{
    ConfigBag, Intercept, interceptors::BeforeSerializationInterceptorContextRef,
};
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::interceptors::{disable_interceptor, dyn_dispatch_hint},
};
use aws_smithy_types::Document;

use super::keys;

/// An endpoint that has its buckets in the path.
#[derive(Debug)]
pub(super) struct PathStyle {
    base: String,
    schemes: Document,
}

impl PathStyle {
    pub(super) fn new(endpoint: &str, region: &str) -> Self {
        let text = |text: &str| Document::String(text.to_owned());
        let scheme = [
            ("name", text("sigv4")),
            ("signingName", text("s3")),
            ("signingRegion", text(region)),
            ("disableDoubleEncoding", Document::Bool(true)),
        ];
        let scheme = scheme.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self {
            base: endpoint.trim_end_matches('/').to_owned(),
            schemes: Document::Array(vec![Document::Object(scheme)]),
        }
    }
}

impl ResolveEndpoint for PathStyle {
    fn resolve_endpoint<'a>(&'a self, params: &'a Params) -> EndpointFuture<'a> {
        let url = match params.bucket() {
            Some(bucket) => format!("{}/{}", self.base, keys::in_path(bucket)),
            None => self.base.clone(),
        };
        let endpoint = Endpoint::builder().url(url).property("authSchemes", self.schemes.clone());
        EndpointFuture::ready(Ok(endpoint.build()))
    }
}

/// Leaves out the client's long account of itself, which is made and signed anew for each request;
/// see `http` for the one that is sent.
#[derive(Debug)]
pub(super) struct ShortAgent;

#[dyn_dispatch_hint]
impl Intercept for ShortAgent {
    fn name(&self) -> &'static str {
        "ShortAgent"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        config
            .interceptor_state()
            .store_put(disable_interceptor::<UserAgentInterceptor>("a short one is sent"));
        Ok(())
    }
}
