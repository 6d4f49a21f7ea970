//! Our own SFTP server.
