//! The store in a local directory.

use sluse::adapters::local_store::LocalStore;

use super::conformance::conforms;

#[tokio::test(flavor = "multi_thread")]
async fn a_local_directory_conforms() {
    let dir = tempfile::tempdir().unwrap();
    conforms(&LocalStore::new(dir.path()), dir.path()).await;
}
