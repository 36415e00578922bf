//! The Data API over HTTP.
