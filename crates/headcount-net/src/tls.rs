//! TLS to whoever is there: every certificate is taken as it comes, and nothing is verified.
//!
//! A scanner asks what a device shows; it trusts nothing of it and sends no secret.

use std::sync::Arc;

use headcount_engine::TlsFacts;
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::ring,
    pki_types::{CertificateDer, IpAddr, ServerName, UnixTime},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

/// Certificates kept of one chain, and bytes of each: what a hostile server may make us store.
const CHAIN: usize = 8;
const CERTIFICATE: usize = 64 << 10;

/// Takes every certificate and every signature.
#[derive(Debug)]
struct TakesAll;

impl ServerCertVerifier for TakesAll {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        use SignatureScheme as S;
        vec![
            S::ECDSA_NISTP256_SHA256,
            S::ECDSA_NISTP384_SHA384,
            S::ECDSA_NISTP521_SHA512,
            S::ED25519,
            S::RSA_PSS_SHA256,
            S::RSA_PSS_SHA384,
            S::RSA_PSS_SHA512,
            S::RSA_PKCS1_SHA256,
            S::RSA_PKCS1_SHA384,
            S::RSA_PKCS1_SHA512,
            S::ECDSA_SHA1_Legacy,
            S::RSA_PKCS1_SHA1,
        ]
    }
}

/// The client's settings, shared by all connections of a run; no session is ever resumed.
pub(crate) fn connector() -> Result<TlsConnector, Error> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let mut config = builder
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(TakesAll))
        .with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// The handshake on a connection that stands.
pub(crate) async fn handshake(
    connector: &TlsConnector,
    stream: TcpStream,
    host: std::net::Ipv4Addr,
) -> std::io::Result<(TlsStream<TcpStream>, TlsFacts)> {
    let name = ServerName::IpAddress(IpAddr::from(std::net::IpAddr::V4(host)));
    let stream = connector.connect(name, stream).await?;
    let (_, session) = stream.get_ref();
    let chain = session.peer_certificates().unwrap_or_default().iter().take(CHAIN);
    let facts = TlsFacts {
        version: session.protocol_version().map_or(0, u16::from),
        cipher: session.negotiated_cipher_suite().map_or(0, |suite| u16::from(suite.suite())),
        chain: chain.filter(|der| der.len() <= CERTIFICATE).map(|der| der.to_vec()).collect(),
    };
    Ok((stream, facts))
}
