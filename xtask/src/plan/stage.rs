//! The stages of an install on a cluster: each is a step of the text, and a command.

/// A stage of an install on a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstallStage {
    /// A cluster with an issuer that Fulcio believes.
    Minikube,
    /// The ingress controller.
    Ingress,
    /// Anonymous reading of the discovery document.
    OidcReviewer,
    /// cert-manager.
    CertManager,
    /// Its self-signed issuer.
    Issuer,
    /// Sigstore.
    Scaffold,
    /// The public parts of its keys, in the namespace that signs.
    CopySecrets,
    /// The registry.
    Registry,
    /// Trusted root and signing config.
    Trust,
}

impl InstallStage {
    /// All of them, in the order of the text.
    pub const ALL: [InstallStage; 9] = [
        InstallStage::Minikube,
        InstallStage::Ingress,
        InstallStage::OidcReviewer,
        InstallStage::CertManager,
        InstallStage::Issuer,
        InstallStage::Scaffold,
        InstallStage::CopySecrets,
        InstallStage::Registry,
        InstallStage::Trust,
    ];

    /// The stage's name as it is typed.
    pub fn name(self) -> &'static str {
        match self {
            InstallStage::Minikube => "minikube",
            InstallStage::Ingress => "ingress",
            InstallStage::OidcReviewer => "oidc-reviewer",
            InstallStage::CertManager => "cert-manager",
            InstallStage::Issuer => "issuer",
            InstallStage::Scaffold => "scaffold",
            InstallStage::CopySecrets => "copy-secrets",
            InstallStage::Registry => "registry",
            InstallStage::Trust => "trust",
        }
    }
}
