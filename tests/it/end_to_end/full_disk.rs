//! The disk is full in the middle of an upload: a small file system of its own stands in for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sluse::generate::Profile;

use crate::needs;
use crate::support::batch::generated;
use crate::support::gateway::{Home, simulator};
use crate::support::receipts::Receipts;

/// A file system in memory, until dropped.
struct Small(PathBuf);

impl Small {
    fn mount(at: &Path, size: &str) -> Option<Self> {
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(at);
        let mounted = command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success());
        mounted.then(|| Self(at.to_owned()))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_loses_nothing_and_lies_to_nobody() {
    let home = Home::new(simulator().await, "");
    let mounted = Small::mount(&home.path("data"), "24m");
    if !needs::is_there(mounted.is_some(), "the right to mount a file system") {
        return;
    }
    let ballast = home.path("data/ballast");
    fs::write(&ballast, vec![0; 4 << 20]).unwrap();
    let gateway = home.start(None);
    let client = home.connect().await.unwrap();
    let small = |seed| generated(5, Profile::Small, "0%", seed).bytes;
    let mut acknowledged = Vec::new();
    client.put("/inbox/before.xml", &mut &*small(1)).await.unwrap();
    acknowledged.push("before.xml".to_owned());
    let large = generated(60, Profile::Attachment, "0%", 2).bytes;
    assert!(large.len() > 30 << 20);
    let refused = client.put("/inbox/large.xml", &mut &*large).await.unwrap_err();
    // SSH_FX_FAILURE: what the server says beside it is held elsewhere to name the disk.
    assert!(refused.to_string().contains("status 4"), "{refused}");
    // While there is no room at all, a file is taken whole or refused.
    for number in 0..5 {
        let name = format!("during-{number}.xml");
        let client = home.connect().await.unwrap();
        if client.put(&format!("/inbox/{name}"), &mut &*small(10 + number)).await.is_ok() {
            acknowledged.push(name);
        }
    }
    fs::remove_file(&ballast).unwrap();
    let client = home.connect().await.unwrap();
    client.remove("/inbox/large.xml").await.unwrap();
    client.put("/inbox/after.xml", &mut &*small(3)).await.unwrap();
    acknowledged.push("after.xml".to_owned());
    Receipts::wait(&home, &acknowledged).await.assert_one_final_each();
    assert!(gateway.terminate().success(), "{}", home.log());
    drop(mounted);
}
