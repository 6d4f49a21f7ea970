//! Messages as they are read from both formats.

use super::*;
use crate::formats::Decoder;
use crate::formats::fragment::tests::InMemory;
use crate::model::ItemKey;
use crate::ports::Reply;

fn read(kind: ItemKind, text: &str) -> (InMemory, Vec<Message<Span>>) {
    let (blob, read) = try_read(kind, text);
    (blob, read.unwrap())
}

fn try_read(kind: ItemKind, text: &str) -> (InMemory, Result<Vec<Message<Span>>, ReadItemError>) {
    let blob = InMemory(text.as_bytes().to_vec());
    let item = NewItem {
        number: 1,
        part: 0,
        kind,
        key: ItemKey::NONE,
        range: blob.all(),
        group: ByteRange::default(),
        line: 1,
        column: 1,
        senders_reference: String::new(),
        service: None,
        forms: 0,
        refused: None,
    };
    let read = messages(&blob, &item);
    (blob, read)
}

fn decoded(blob: &InMemory, span: &Span) -> String {
    let (mut decoder, mut out) = (Decoder::new(span.coding), Vec::new());
    decoder.push(blob.slice(span.content).as_bytes(), &mut out).unwrap();
    decoder.finish().unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_correspondence_is_read_whole() {
    let (blob, messages) = read(
        ItemKind::Correspondence,
        "<Correspondence><Reportee>910000004</Reportee><Content><LanguageCode>1044</LanguageCode>\
         <MessageTitle>A &amp; B</MessageTitle><MessageSummary>s</MessageSummary>\
         <MessageBody><![CDATA[<p>Hei</p>]]></MessageBody><CustomMessageData><Add key='k' value='v'/></CustomMessageData>\
         <Attachments><BinaryAttachments><BinaryAttachment><FileName>a.pdf</FileName><Name>A</Name>\
         <Encrypted>true</Encrypted><Data>SGVs bG8=</Data><SendersReference>V1</SendersReference>\
         <DestinationType>PortalOnly</DestinationType></BinaryAttachment></BinaryAttachments><XmlAttachments>\
         <XmlAttachment><SendersReference>X1</SendersReference><DataFormatID>12</DataFormatID>\
         <DataFormatVersion>3</DataFormatVersion><FormDataXml>&lt;a/></FormDataXml></XmlAttachment></XmlAttachments>\
         </Attachments></Content><VisibleDateTime>2026-02-02T08:00:00</VisibleDateTime>\
         <AllowSystemDeleteDateTime>2031-02-02T00:00:00</AllowSystemDeleteDateTime>\
         <DueDateTime>2026-03-02T08:00:00Z</DueDateTime><ArchiveReference>AR1</ArchiveReference><ReplyOptions>\
         <ReplyOption><Service><ServiceCode>5001</ServiceCode></Service></ReplyOption>\
         <ReplyOption><ArchiveReference>AR2</ArchiveReference></ReplyOption>\
         <ReplyOption><Url><LinkText>t</LinkText><LinkUrl>https://u</LinkUrl></Url></ReplyOption></ReplyOptions>\
         <Notifications><Notification><FromAdress>x@y</FromAdress><ShipmentDateTime>2026-02-03T08:00:00Z</ShipmentDateTime>\
         <LanguageCode>1033</LanguageCode><NotificationType>N</NotificationType><TextTokens><TextToken><TokenNum>1</TokenNum>\
         <TokenValue>one</TokenValue></TextToken></TextTokens><RecieverEndPoints><ReceiverEndPoint>\
         <TransportType>SMS</TransportType><ReceiverAdress>99999999</ReceiverAdress></ReceiverEndPoint>\
         </RecieverEndPoints></Notification></Notifications><AllowForwarding>1</AllowForwarding><CaseId>7</CaseId>\
         <IsReservable>false</IsReservable></Correspondence>",
    );
    let [message] = messages.as_slice() else { panic!("one message") };
    assert_eq!(message.recipient.as_ref().unwrap().expose(), "910000004");
    assert_eq!((message.language.as_str(), message.title.as_str(), message.summary.as_str()), ("1044", "A & B", "s"));
    assert_eq!(decoded(&blob, message.body.as_ref().unwrap()), "<p>Hei</p>");
    assert_eq!(message.visible_from.unwrap().to_string(), "2026-02-02T07:00:00Z");
    assert_eq!(message.due.unwrap().to_string(), "2026-03-02T08:00:00Z");
    assert_eq!((message.archive_reference.as_str(), message.case.as_str()), ("AR1", "7"));
    assert_eq!((message.may_forward, message.is_reservable), (true, Some(false)));
    assert_eq!(message.others, ["CustomMessageData", "DestinationType", "AllowSystemDeleteDateTime"]);
    let replies = [
        Reply::Service { code: "5001".into(), edition: String::new() },
        Reply::Archive("AR2".into()),
        Reply::Url { text: "t".into(), url: "https://u".into() },
    ];
    assert_eq!(message.replies, replies);
    let attachments: Vec<_> =
        message.attachments.iter().map(|one| (one.file_name.as_str(), decoded(&blob, &one.content))).collect();
    assert_eq!(attachments, [("a.pdf", "Hello".to_owned()), ("12-3.xml", "<a/>".to_owned())]);
    assert!(message.attachments[0].is_encrypted && message.attachments[0].most_bytes >= 5);
    let notification = &message.notifications[0];
    assert!(notification.names_sender && notification.send_at.is_some());
    assert_eq!((notification.kind.as_str(), notification.language.as_str()), ("N", "1033"));
    assert_eq!(notification.tokens, [(1, "one".to_owned())]);
    assert_eq!(notification.endpoints, [("SMS".to_owned(), "99999999".to_owned())]);
}

#[test]
fn a_body_of_elements_is_markup_as_it_stands() {
    let (blob, messages) = read(
        ItemKind::Correspondence,
        "<Correspondence><Content><MessageBody class='x'><p>a &amp; <b>b</b></p></MessageBody></Content></Correspondence>",
    );
    assert_eq!(decoded(&blob, messages[0].body.as_ref().unwrap()), "<p>a &amp; <b>b</b></p>");
    let text = "<Correspondence><Content><MessageBody class='x'>a &lt;b></MessageBody></Content></Correspondence>";
    let (blob, messages) = read(ItemKind::Correspondence, text);
    assert_eq!(decoded(&blob, messages[0].body.as_ref().unwrap()), "a <b>");
    assert!(read(ItemKind::Correspondence, "<Correspondence/>").1[0].body.is_none());
}

#[test]
fn an_altut_message_is_one_for_each_participant() {
    let participant = |id: &str, title: &str| {
        format!(
            "<Participant id='{id}'><DueDate>2026-03-01</DueDate><VisibleDate/><Content languageCode='2068'>\
             <MessageHeader>{title}</MessageHeader><MessageSummery>s</MessageSummery><Attachments>\
             <Attachment id='1' filename='a.txt' name='A'>SGVsbG8=</Attachment></Attachments><HTML><p>x</p></HTML></Content>\
             </Participant>"
        )
    };
    let text = format!(
        "<Message shortName='5002_1' messageReference='M'>{}{}<NotificationMessages NotificationTypeName='N'>\
         <NotificationMessage participantId='910000004'><EmailAddresses><EmailAddress>a@b.example</EmailAddress>\
         </EmailAddresses></NotificationMessage></NotificationMessages><ReplyMessages><ReplyMessage><Form>\
         <ServiceCode>5001_2</ServiceCode></Form></ReplyMessage></ReplyMessages></Message>",
        participant("910000004", "one"),
        participant("910000012", "two")
    );
    let (blob, messages) = read(ItemKind::AltUtMessage, &text);
    assert_eq!(messages.iter().map(|message| message.title.as_str()).collect::<Vec<_>>(), ["one", "two"]);
    for message in &messages {
        assert_eq!(message.due.unwrap().to_string(), "2026-03-01T22:59:59Z");
        assert_eq!((message.language.as_str(), message.summary.as_str()), ("2068", "s"));
        assert_eq!(message.replies, [Reply::Service { code: "5001".into(), edition: "2".into() }]);
        assert_eq!(decoded(&blob, message.body.as_ref().unwrap()), "<p>x</p>");
        assert_eq!(decoded(&blob, &message.attachments[0].content), "Hello");
    }
    assert_eq!(messages[0].notifications[0].endpoints[0].1, "a@b.example");
    assert!(messages[1].notifications.is_empty());
}

#[test]
fn a_time_that_cannot_be_read_refuses_its_item() {
    let correspondence = |element: &str, time: &str| {
        let text = format!("<Correspondence>{}</Correspondence>", element.replace("TIME", time));
        try_read(ItemKind::Correspondence, &text).1
    };
    let notified =
        "<Notifications><Notification><ShipmentDateTime>TIME</ShipmentDateTime></Notification></Notifications>";
    for element in ["<VisibleDateTime>TIME</VisibleDateTime>", "<DueDateTime>TIME</DueDateTime>", notified] {
        assert!(matches!(correspondence(element, "12026-01-01T00:00:00"), Err(ReadItemError::NoTime)), "{element}");
        assert!(correspondence(element, "").is_ok(), "{element}");
    }
    let midnight = correspondence("<VisibleDateTime>TIME</VisibleDateTime>", "2026-12-23T24:00:00").unwrap();
    assert_eq!(midnight[0].visible_from.unwrap().to_string(), "2026-12-23T23:00:00Z");
    for (element, time) in
        [("VisibleDate", "12026-01-01T00:00:00"), ("DueDate", "12026-01-01T00:00:00"), ("DueDate", "12026-01-01")]
    {
        let text = format!("<Message><Participant><{element}>{time}</{element}></Participant></Message>");
        assert!(matches!(try_read(ItemKind::AltUtMessage, &text).1, Err(ReadItemError::NoTime)), "{element} {time}");
    }
    assert_eq!(ReadItemError::NoTime.code(), crate::codes::MESSAGE_TIME);
}
