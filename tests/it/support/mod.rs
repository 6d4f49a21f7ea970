//! What several tests need: a judged batch, a running gateway, real clients, the receipts.

pub(crate) mod archive;
pub(crate) mod batch;
pub(crate) mod gateway;
pub(crate) mod http_receiver;
pub(crate) mod judged;
pub(crate) mod kills;
pub(crate) mod ledger;
pub(crate) mod log;
pub(crate) mod openssh;
pub(crate) mod prism;
pub(crate) mod receipts;
pub(crate) mod scripted_ssh;
pub(crate) mod sftp;
pub(crate) mod soap_receiver;
pub(crate) mod ssh_peers;
