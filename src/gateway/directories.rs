//! Directories: made and deleted. Deletion of a file is here too, since a path without `/` at its
//! end may be either's.

use axum::body::Body as HttpBody;
use http::{Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::BodyExt as _;
use serde_json::json;

use super::{
    body::Incoming,
    decide::{Allowed, Ask},
    files::NoFile,
    headers,
    respond::{Code, Failure, json_response},
};
use crate::{
    engine::{CreateDirectory, DeleteDirectory, DeleteObject, DeleteTree, WriteAcl},
    executor::{DirectoryDeletion, ExecuteError},
    json::Json,
    path::Path,
};

/// The longest body of a request that makes a folder, in bytes.
const MAX_POST: u64 = 64 << 10;

impl Ask<'_> {
    /// POST: makes a folder in the directory that is named, or that directory itself.
    pub(super) async fn post(&self, body: &mut Incoming) -> Result<Response<HttpBody>, Failure> {
        let name = self.name_in(body).await?;
        let path = match (name.as_str(), self.path.key()) {
            ("", b"") => {
                return Err(Failure::invalid("the folder has no name: send {\"name\": \"NAME\"}"));
            }
            ("", _) => self.path.clone().into_directory(),
            (name, _) if name.contains('/') => {
                return Err(Failure::invalid("a folder's name has no `/` in it"));
            }
            (name, _) => self.path.clone().into_directory().and_then(|parent| {
                Path::from_vec([parent.as_bytes(), name.as_bytes(), b"/"].concat())
            }),
        };
        let path = path.map_err(|error| Failure::invalid(error.to_string()))?;
        let made = CreateDirectory { path: path.clone() };
        let Allowed { approved, line } = self.approve(made)?;
        let made = self.shared.executor.create_directory(approved).await;
        line.end(made, |()| None).map_err(|error| self.failed(&error))?;
        let uri = self.uri(&path);
        Ok(json_response(StatusCode::OK, &json!({ "result": uri.trim_end_matches('/') })))
    }

    /// The folder's name in a request's body: `{"name": …}`, or the bare name as one of
    /// Algorithmia's clients sends it. An access control list beside it is not for us.
    async fn name_in(&self, body: &mut Incoming) -> Result<String, Failure> {
        let declared = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let is_plain = match declared.unwrap_or("application/json").split(';').next() {
            Some("application/json") => false,
            Some("text/plain") => true,
            _ => {
                return Err(Failure::new(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    Code::InvalidRequest,
                    "a folder is made by JSON, {\"name\": \"NAME\"}, with `Content-Type: \
                     application/json`",
                ));
            }
        };
        let lent = body.lend(MAX_POST, self.shared.options.idle_timeout);
        let bytes =
            lent.collect().await.map_err(|error| self.failed(&ExecuteError::Body(error)))?;
        let bytes = bytes.to_bytes();
        let bad = |message| Failure::new(StatusCode::BAD_REQUEST, Code::InvalidJson, message);
        match serde_json::from_slice::<Json>(&bytes) {
            Ok(json) if json.has_a_member_twice() => {
                Err(bad("a member stands twice in an object of the JSON; send each once"))
            }
            Ok(Json::Fields(fields)) => {
                match fields.into_iter().find(|(member, _)| member == "name") {
                    Some((_, Json::Text(name))) => Ok(name),
                    _ => Err(bad("the JSON has no `name` that is a string")),
                }
            }
            _ if is_plain => {
                String::from_utf8(bytes.into()).map_err(|_| bad("the name is not UTF-8"))
            }
            _ => Err(bad("the body is not JSON of the form {\"name\": \"NAME\"}")),
        }
    }

    /// DELETE: deletes the file, or else the directory. `force` is of directories alone: with it,
    /// whatever its value, a file of the name stays.
    pub(super) async fn delete(&self, force: Option<bool>) -> Result<Response<HttpBody>, Failure> {
        let conditions = headers::writing(self.headers)?;
        let is_conditional = conditions.are_any();
        let no_file = match force {
            Some(_) => NoFile::Directory,
            None => match self.file(|path| DeleteObject { path }) {
                Ok(Allowed { approved, line }) => {
                    let deleted = self.shared.executor.delete(approved, conditions).await;
                    match line.end(deleted, |()| None) {
                        Ok(()) => return Ok(deletion(1)),
                        Err(error) => self.no_file(error)?,
                    }
                }
                Err(no_file) => no_file,
            },
        };
        // A directory has no entity tag, and what is not there has none.
        if is_conditional {
            return Err(match no_file {
                NoFile::Refused(failure) => failure,
                NoFile::Directory | NoFile::Missing => {
                    self.failed(&ExecuteError::PreconditionFailed)
                }
            });
        }
        let Ok(path) = self.path.clone().into_directory() else {
            return Err(no_file.nor_directory(&self.asked()));
        };
        let deleted = match force {
            Some(true) => match self.approve(DeleteTree { path }) {
                Ok(allowed) => self.delete_tree(allowed).await?,
                Err(refused) => return Err(no_file.nor_permitted(refused, &self.asked())),
            },
            Some(false) | None => match self.approve(DeleteDirectory { path }) {
                Ok(allowed) => self.delete_empty(allowed).await?,
                Err(refused) => return Err(no_file.nor_permitted(refused, &self.asked())),
            },
        };
        deleted.map(deletion).ok_or_else(|| no_file.nor_directory(&self.asked()))
    }

    /// Deletes a directory and all in it; how many objects went, or `None` where there was none.
    async fn delete_tree(
        &self,
        allowed: Allowed<DeleteTree<'static>>,
    ) -> Result<Option<u64>, Failure> {
        let Allowed { approved, line } = allowed;
        let deleted = self.shared.executor.delete_tree(approved).await;
        let failure = deleted.as_ref().err().map(|error| Failure::of_tree(error, &self.asked()));
        match line.end(deleted.map_err(|error| error.error), |_| None) {
            Ok(count) => Ok(Some(count).filter(|count| *count > 0)),
            Err(error) => Err(failure.unwrap_or_else(|| self.failed(&error))),
        }
    }

    /// Deletes a directory that is empty; how many objects went, which is its marker, or `None`
    /// where there was none.
    async fn delete_empty(
        &self,
        allowed: Allowed<DeleteDirectory<'static>>,
    ) -> Result<Option<u64>, Failure> {
        let Allowed { approved, line } = allowed;
        let deleted = self.shared.executor.delete_directory(approved).await;
        match line.end(deleted, |_| None).map_err(|error| self.failed(&error))? {
            DirectoryDeletion::Deleted => Ok(Some(1)),
            DirectoryDeletion::Missing => Ok(None),
            DirectoryDeletion::NotEmpty => Err(Failure::new(
                StatusCode::CONFLICT,
                Code::InvalidRequest,
                format!("{} is not empty; `force=true` deletes all in it", self.asked()),
            )),
        }
    }

    /// PATCH: would change permissions, which is never given.
    pub(super) fn patch(&self) -> Result<Response<HttpBody>, Failure> {
        let _ = self.approve(WriteAcl { path: self.path.clone() })?;
        Err(self.failed(&ExecuteError::Configuration))
    }
}

fn deletion(count: u64) -> Response<HttpBody> {
    json_response(StatusCode::OK, &json!({ "result": { "deleted": count } }))
}
