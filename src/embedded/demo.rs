//! What `pathward serve --demo` has to show.
