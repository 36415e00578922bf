//! Every checked-in input of the fuzz target that reads documents of IAM.

#[path = "../common/corpus.rs"]
mod corpus;

#[test]
fn the_corpus_of_iam_import_holds() {
    corpus::run("iam_import", pathward::internal::iam_import);
}
