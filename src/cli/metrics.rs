//! Measures for a Prometheus server, over HTTP: `[metrics]`.

use std::net::SocketAddr;

use anyhow::Context as _;
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use tokio::net::TcpListener;

use crate::measures;

/// Serves `/metrics` at the address from now on, in the runtime that calls.
pub(super) async fn serve(listen: SocketAddr) -> anyhow::Result<()> {
    let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot serve metrics at {listen}"))?;
    let told = get(async || ([(CONTENT_TYPE, measures::CONTENT_TYPE)], measures::text()));
    let router = Router::new().route("/metrics", told);
    tokio::spawn(async move { axum::serve(listener, router).await });
    tracing::info!(%listen, "serving metrics");
    Ok(())
}
