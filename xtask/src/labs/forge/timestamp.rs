//! Timestamps: one that is asked for, and one made with a stolen key.

use std::time::Duration;

use anyhow::{Context, Result};
use cms::content_info::ContentInfo;
use cms::signed_data::{EncapsulatedContentInfo, SignedData, SignerInfos};
use x509_cert::attr::Attribute;
use x509_cert::der::asn1::{
    GeneralizedTime, Null, ObjectIdentifier, OctetString, SetOfVec, UtcTime,
};
use x509_cert::der::{Any, Decode, Encode};
use x509_cert::spki::AlgorithmIdentifier;
use x509_cert::time::Time;
use x509_tsp::{MessageImprint, TimeStampReq, TimeStampResp, TspVersion, TstInfo};

use super::post;
use crate::format::hashing::sha256_hash;
use crate::format::private_key::PrivateKey;
use crate::labs::Session;

const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const SIGNING_TIME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.5");

/// Asks the lab's timestamp authority for a timestamp about a signature (RFC 3161).
pub(crate) fn asked_for(session: &Session<'_>, signature: &[u8]) -> Result<Vec<u8>> {
    let ask = TimeStampReq {
        version: TspVersion::V1,
        message_imprint: imprint(signature)?,
        req_policy: None,
        nonce: None,
        cert_req: true,
        extensions: None,
    };
    let url = session.env("WORKSHOP_TIMESTAMP")?;
    post(
        session,
        "application/timestamp-query",
        "timestamp",
        &ask.to_der()?,
        url,
    )
}

fn imprint(signature: &[u8]) -> Result<MessageImprint> {
    Ok(MessageImprint {
        hash_algorithm: AlgorithmIdentifier {
            oid: SHA256,
            parameters: Some(Null.into()),
        },
        hashed_message: OctetString::new(sha256_hash(&[signature]))?,
    })
}

/// A timestamp authority whose key was stolen.
pub(crate) struct Stamp {
    key: PrivateKey,
}

impl Stamp {
    /// That of the lab, of this number.
    pub(crate) fn take(session: &Session<'_>, number: u8) -> Result<Stamp> {
        let key = super::stolen(session, &format!("timestamp-{number}.key"))?;
        Ok(Stamp { key })
    }

    /// Makes of a response of the authority another, about any signature and any
    /// time, in seconds since 1970.
    pub(crate) fn forge(&self, response: &[u8], signature: &[u8], time: u64) -> Result<Vec<u8>> {
        let time = Duration::from_secs(time);
        let mut response = TimeStampResp::from_der(response)?;
        let token = response
            .time_stamp_token
            .context("no timestamp to begin with")?;
        let mut signed: SignedData = token.content.decode_as()?;
        let content = signed.encap_content_info.econtent.context("it is empty")?;
        let content: OctetString = content.decode_as()?;
        let mut info = TstInfo::from_der(content.as_bytes())?;
        info.message_imprint = imprint(signature)?;
        info.gen_time = GeneralizedTime::from_unix_duration(time)?;
        let info = info.to_der()?;
        signed.encap_content_info = EncapsulatedContentInfo {
            econtent_type: signed.encap_content_info.econtent_type,
            econtent: Some(Any::encode_from(&OctetString::new(info.as_slice())?)?),
        };
        let mut signer = signed
            .signer_infos
            .0
            .into_vec()
            .pop()
            .context("nobody signed it")?;
        // What is signed is the attributes, which hold the digest of the content (RFC 5652,
        // section 5.4).
        let mut attributes = SetOfVec::new();
        for old in signer.signed_attrs.iter().flat_map(|all| all.iter()) {
            let value = match old.oid {
                MESSAGE_DIGEST => Any::encode_from(&OctetString::new(sha256_hash(&[&info]))?)?,
                SIGNING_TIME => {
                    Any::encode_from(&Time::UtcTime(UtcTime::from_unix_duration(time)?))?
                }
                _ => {
                    attributes.insert(old.clone())?;
                    continue;
                }
            };
            let values = SetOfVec::try_from(vec![value])?;
            attributes.insert(Attribute {
                oid: old.oid,
                values,
            })?;
        }
        let made = self.key.sign(&attributes.to_der()?)?;
        signer.signed_attrs = Some(attributes);
        signer.signature = OctetString::new(made)?;
        signed.signer_infos = SignerInfos(SetOfVec::try_from(vec![signer])?);
        response.time_stamp_token = Some(ContentInfo {
            content_type: token.content_type,
            content: Any::encode_from(&signed)?,
        });
        Ok(response.to_der()?)
    }
}
