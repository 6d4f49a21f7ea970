//! Large files are judged while they arrive.

use sluse::generate::Profile;

use super::final_of;
use crate::support::batch::generated;
use crate::support::gateway::{Home, simulator};
use crate::support::receipts::count;

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_is_judged_before_its_close_and_before_its_rename() {
    let batches = [1, 2].map(|seed| generated(18, Profile::Attachment, "10%", seed));
    let home = Home::new(simulator().await, "");
    let gateway = home.start(None);
    let client = home.connect().await.unwrap();
    assert!(batches.iter().all(|batch| batch.bytes.len() > 9 << 20));
    client.put("/inbox/closed.xml", &mut &*batches[0].bytes).await.unwrap();
    client.put("/inbox/renamed.xml.part", &mut &*batches[1].bytes).await.unwrap();
    client.rename("/inbox/renamed.xml.part", "/inbox/renamed.xml").await.unwrap();
    for (name, batch) in ["closed.xml", "renamed.xml"].into_iter().zip(&batches) {
        assert_eq!(count(&final_of(&home, name).await, "delivered"), batch.right);
    }
    assert!(gateway.terminate().success(), "{}", home.log());
    assert_eq!(home.log().matches("judged while it arrived").count(), 2, "{}", home.log());
}
