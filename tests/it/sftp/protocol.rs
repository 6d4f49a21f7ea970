//! What a client may say that no good client says.

use std::time::Duration;

use russh::ChannelMsg;
use russh_sftp::protocol::{FileAttributes, OpenFlags, Packet};

use crate::support::sftp::{Gateway, subsystem};

const INIT: [u8; 9] = [0, 0, 0, 5, 1, 0, 0, 0, 3];

/// Sends bytes as they are and collects what comes until the channel ends.
async fn say(gateway: &Gateway, bytes: &[u8]) -> Vec<u8> {
    let ssh = gateway.log_in("etat").await;
    let mut channel = subsystem(&ssh).await;
    channel.data(bytes).await.unwrap();
    let mut heard = Vec::new();
    while let Some(message) = channel.wait().await {
        if let ChannelMsg::Data { data } = message {
            heard.extend_from_slice(&data);
        }
    }
    heard
}

#[tokio::test]
async fn an_over_long_packet_ends_the_session_after_what_came_before_it_is_answered() {
    let gateway = Gateway::start().await;
    let mut bytes = INIT.to_vec();
    bytes.extend([0xff, 0xff, 0xff, 0xff, 6]);
    let heard = say(&gateway, &bytes).await;
    assert_eq!(heard.get(4..9), Some(&[2, 0, 0, 0, 3][..]), "VERSION 3 comes before the end");
}

#[tokio::test]
async fn a_session_begins_with_init() {
    let gateway = Gateway::start().await;
    assert!(say(&gateway, &[0, 0, 0, 9, 17, 0, 0, 0, 1, 0, 0, 0, 0]).await.is_empty());
    assert!(say(&gateway, b"GET / HTTP/1.1\r\n\r\n").await.is_empty());
    let mut twice = INIT.to_vec();
    twice.extend(INIT);
    assert!(!say(&gateway, &twice).await.is_empty());
}

#[tokio::test]
async fn an_over_long_packet_leaves_the_upload_a_partial() {
    let gateway = Gateway::start().await;
    let ssh = gateway.log_in("etat").await;
    let channel = subsystem(&ssh).await;
    let open = russh_sftp::protocol::Open {
        id: 1,
        filename: "/inbox/a.xml".to_owned(),
        pflags: OpenFlags::WRITE | OpenFlags::CREATE,
        attrs: FileAttributes::empty(),
    };
    let write = russh_sftp::protocol::Write { id: 2, handle: "1".to_owned(), offset: 0, data: vec![7; 10] };
    let mut bytes = INIT.to_vec();
    for packet in [Packet::from(open), Packet::from(write)] {
        bytes.extend_from_slice(&bytes::Bytes::try_from(packet).unwrap());
    }
    bytes.extend([0x7f, 0, 0, 0]);
    channel.data(&bytes[..]).await.unwrap();
    gateway.paused_at("/inbox/a.xml", 10).await;
    assert!(gateway.shipment("/inbox/a.xml").await.is_none());
}

#[tokio::test]
async fn unknown_and_malformed_requests_are_answered_and_the_session_goes_on() {
    let gateway = Gateway::start().await;
    let ssh = gateway.log_in("etat").await;
    let mut channel = subsystem(&ssh).await;
    let mut bytes = INIT.to_vec();
    bytes.extend([0, 0, 0, 5, 77, 0, 0, 0, 9]);
    bytes.extend([0, 0, 0, 9, 6, 0, 0, 0, 10, 0xff, 0xff, 0xff, 0xff]);
    bytes.extend([0, 0, 0, 10, 16, 0, 0, 0, 11, 0, 0, 0, 1, b'.']);
    channel.data(&bytes[..]).await.unwrap();
    let mut heard = bytes::BytesMut::new();
    let mut statuses = Vec::new();
    while statuses.len() < 3 {
        if let Some(ChannelMsg::Data { data }) = channel.wait().await {
            heard.extend_from_slice(&data);
        }
        while heard.len() >= 4 && heard.len() >= 4 + u32::from_be_bytes(heard[..4].try_into().unwrap()) as usize {
            let length = u32::from_be_bytes(heard[..4].try_into().unwrap()) as usize;
            let mut packet = heard.split_to(4 + length).freeze().slice(4..);
            let packet = Packet::try_from(&mut packet).unwrap();
            if let Packet::Status(status) = &packet {
                statuses.push((status.id, status.status_code as u32));
            } else if let Packet::Name(name) = &packet {
                statuses.push((name.id, 0));
            }
        }
    }
    assert_eq!(statuses, [(9, 8), (10, 5), (11, 0)]);
}

#[tokio::test]
async fn a_client_that_asks_for_much_and_reads_nothing_is_held_back_not_fed() {
    let gateway = Gateway::start().await;
    let client = gateway.raw("etat").await;
    client.put("/inbox/a.part", &vec![5; 200_000]).await.unwrap();
    let ssh = gateway.log_in("etat").await;
    let mut channel = subsystem(&ssh).await;
    let open = russh_sftp::protocol::Open {
        id: 1,
        filename: "/inbox/a.part".to_owned(),
        pflags: OpenFlags::READ,
        attrs: FileAttributes::empty(),
    };
    let mut bytes = INIT.to_vec();
    bytes.extend_from_slice(&bytes::Bytes::try_from(Packet::from(open)).unwrap());
    for id in 2..402 {
        let read = russh_sftp::protocol::Read { id, handle: "1".to_owned(), offset: 0, len: 200_000 };
        bytes.extend_from_slice(&bytes::Bytes::try_from(Packet::from(read)).unwrap());
    }
    channel.data(&bytes[..]).await.unwrap();
    // Nothing is read here for a while: the replies wait for the window.
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut received = 0;
    while received < 400 * 200_000 {
        match channel.wait().await {
            Some(ChannelMsg::Data { data }) => received += data.len(),
            Some(_) => {}
            None => panic!("the channel ended at {received}"),
        }
    }
}
