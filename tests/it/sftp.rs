//! The SFTP server with real clients.
