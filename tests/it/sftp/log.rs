//! What the log shows of the files that come.

use russh_sftp::protocol::OpenFlags;

use crate::support::log::Log;
use crate::support::sftp::Gateway;

#[tokio::test]
async fn an_id_in_a_senders_names_is_logged_nowhere() {
    let log = Log::default();
    let _guard = log.listen();
    let gateway = Gateway::start().await;
    let client = gateway.raw("etat").await;
    let [first, second, last] = ["tmp", "part", "xml"].map(|ending| format!("/inbox/18886712345.{ending}"));
    client.put(&first, b"<a/>").await.unwrap();
    client.sftp.rename(&*first, &*second).await.unwrap();
    client.open(&second, OpenFlags::READ).await.unwrap();
    client.sftp.rename(&*second, &*last).await.unwrap();
    client.put(&first, b"<b/>").await.unwrap();
    client.sftp.remove(&*first).await.unwrap();
    client.open(&first, OpenFlags::WRITE | OpenFlags::CREATE).await.unwrap();
    client.cut().await;
    gateway.paused_at(&first, 0).await;
    let text = log.text();
    assert!(text.contains("received by rename") && text.contains("/inbox/###########.part"), "{text}");
    assert!(!text.contains("18886712345"), "{text}");
}
