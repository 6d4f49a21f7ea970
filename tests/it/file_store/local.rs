//! The store in a local directory.

use sluse::adapters::local_store::LocalStore;

use super::conformance::conforms;

#[tokio::test(flavor = "multi_thread")]
async fn a_local_directory_conforms() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    std::fs::create_dir(&root).unwrap();
    conforms(&LocalStore::new(&root), &root).await;
}
