//! A drop by the OpenSSH client to the final receipt.
