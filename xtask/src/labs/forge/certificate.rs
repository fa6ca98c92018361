//! Leaf certificates from a stolen CA key, of the form that Fulcio gives them.

use std::time::SystemTime;

use anyhow::{Context, Result};
use x509_cert::certificate::{TbsCertificate, Version};
use x509_cert::der::Encode;
use x509_cert::der::asn1::{Ia5String, Null, ObjectIdentifier, OctetString, Utf8StringRef};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::sct::SerializedSct;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, ExtendedKeyUsage, KeyUsage, KeyUsages, SignedCertificateTimestampList,
    SubjectAltName, SubjectKeyIdentifier, sct::SignedCertificateTimestamp,
};
use x509_cert::name::Name;

use crate::format::certificate::{Leaf, SCT_LIST};
use crate::format::der;
use crate::format::hashing::sha256_hash;
use crate::format::issue::{self, extension};
use crate::format::private_key::PrivateKey;
use crate::labs::Session;
use crate::state;
use crate::tlog::merkle::Hash;

const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
const CODE_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.3");
const AUTHORITY_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.35");
const ALTERNATIVE_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
const ISSUER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.1");
const ISSUER_V2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.8");
/// What keeps a precertificate from being used as a certificate (RFC 6962, section
/// 3.1).
const POISON: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11129.2.4.3");

/// A certificate authority whose key was stolen, or one that only has its name.
pub(crate) struct StolenAuthority {
    key: PrivateKey,
    certificate: Leaf,
}

/// What a thief wants in a certificate.
pub(crate) struct Wish<'a> {
    /// The identity.
    pub email: &'a str,
    /// The issuer that is said to have vouched for it.
    pub issuer: &'a str,
    /// From when on it is valid, in seconds since 1970.
    pub from: u64,
    /// How long it is valid, in seconds.
    pub seconds: u64,
}

impl<'a> Wish<'a> {
    /// What Fulcio would issue now.
    pub(crate) fn now(session: &'a Session<'_>, email: &'a str) -> Result<Wish<'a>> {
        Ok(Wish {
            email,
            issuer: session.env("WORKSHOP_ISSUER")?,
            from: SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)?
                .as_secs(),
            seconds: 600,
        })
    }
}

/// A certificate that nobody signed yet, with its private key.
pub(crate) struct Draft {
    /// The private key of the certificate.
    pub key: PrivateKey,
    tbs: TbsCertificate,
}

impl StolenAuthority {
    /// The CA of the lab's Fulcio, of this number.
    pub(crate) fn take(session: &Session<'_>, number: u8) -> Result<StolenAuthority> {
        let file = session
            .installation()
            .join(format!("keys/fulcio-{number}.pem"));
        let pem = state::read(&file)?.context("there is no CA to steal from")?;
        Ok(StolenAuthority {
            key: super::stolen(session, &format!("fulcio-{number}.key"))?,
            certificate: Leaf::from_pem(&pem)?,
        })
    }

    /// An authority of the same name with a key of its own, which nobody trusts.
    pub(crate) fn imitate(session: &Session<'_>) -> Result<StolenAuthority> {
        let genuine = StolenAuthority::take(session, 1)?.certificate;
        let key = PrivateKey::random()?;
        let mut tbs_certificate = genuine.certificate().tbs_certificate.clone();
        tbs_certificate.subject_public_key_info = key.public()?;
        let certificate = issue::signed(tbs_certificate, &key)?;
        Ok(StolenAuthority {
            key,
            certificate: Leaf::from_der(&certificate.to_der()?)?,
        })
    }

    /// Its certificate.
    pub(crate) fn certificate(&self) -> &Leaf {
        &self.certificate
    }

    /// The hash of its public key, by which CT logs name it.
    pub(crate) fn key_hash(&self) -> Result<Hash> {
        Ok(sha256_hash(&[&self.key.public_der()?]))
    }

    /// Drafts a certificate for a new key.
    pub(crate) fn draft(&self, wish: &Wish<'_>) -> Result<Draft> {
        let key = PrivateKey::random()?;
        let own = self.certificate.certificate();
        let own_key = der::extension::<SubjectKeyIdentifier>(own)
            .ok()
            .flatten()
            .context("the CA has no key identifier")?;
        let authority_key = AuthorityKeyIdentifier {
            key_identifier: Some(own_key.0),
            ..AuthorityKeyIdentifier::default()
        };
        let tbs = TbsCertificate {
            version: Version::V3,
            serial_number: issue::serial_number()?,
            // The CA signed itself with the same key in the same way.
            signature: own.signature_algorithm.clone(),
            issuer: own.tbs_certificate.subject.clone(),
            validity: issue::validity(wish.from, wish.seconds)?,
            subject: Name::default(),
            subject_public_key_info: key.public()?,
            issuer_unique_id: None,
            subject_unique_id: None,
            extensions: Some(extensions(wish, &authority_key)?),
        };
        Ok(Draft { key, tbs })
    }

    /// Signs a draft, with a promise of a CT log or without.
    pub(crate) fn issue(
        &self,
        draft: &Draft,
        sct: Option<SignedCertificateTimestamp>,
    ) -> Result<Vec<u8>> {
        let promise = sct.map(|sct| {
            let sct = SerializedSct::new(sct).context("encode a promise")?;
            let list = SignedCertificateTimestampList::new(&[sct]);
            extension(SCT_LIST, false, &list.ok().context("encode a promise")?)
        });
        self.sign(draft, promise.transpose()?)
    }

    /// What a CT log is shown before it promises anything (RFC 6962, section 3.1).
    pub(crate) fn precertificate(&self, draft: &Draft) -> Result<Vec<u8>> {
        self.sign(draft, Some(extension(POISON, true, &Null)?))
    }

    fn sign(&self, draft: &Draft, more: Option<Extension>) -> Result<Vec<u8>> {
        let mut tbs_certificate = draft.tbs.clone();
        tbs_certificate
            .extensions
            .get_or_insert_default()
            .extend(more);
        Ok(issue::signed(tbs_certificate, &self.key)?.to_der()?)
    }
}

impl Draft {
    /// What a CT log signs of it.
    pub(crate) fn to_be_signed(&self) -> Result<Vec<u8>> {
        Ok(self.tbs.to_der()?)
    }
}

/// The extensions of a leaf certificate, as Fulcio writes them.
fn extensions(wish: &Wish<'_>, authority_key: &AuthorityKeyIdentifier) -> Result<Vec<Extension>> {
    let email = GeneralName::Rfc822Name(Ia5String::new(wish.email)?);
    Ok(vec![
        extension(
            KEY_USAGE,
            true,
            &KeyUsage(KeyUsages::DigitalSignature.into()),
        )?,
        extension(
            EXTENDED_KEY_USAGE,
            false,
            &ExtendedKeyUsage(vec![CODE_SIGNING]),
        )?,
        extension(AUTHORITY_KEY, false, authority_key)?,
        extension(ALTERNATIVE_NAME, true, &SubjectAltName(vec![email]))?,
        Extension {
            extn_id: ISSUER,
            critical: false,
            extn_value: OctetString::new(wish.issuer.as_bytes())?,
        },
        extension(ISSUER_V2, false, &Utf8StringRef::new(wish.issuer)?)?,
    ])
}
