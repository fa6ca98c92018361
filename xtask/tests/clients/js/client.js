// client.js sign|verify FILE [tuf]: sigstore-js against the Sigstore that `cargo xtask env`
// names. Signing always takes the signing config from a file; `verify FILE tuf` takes the
// trusted root by TUF. The identity token is in the file TOKEN.
const fs = require('fs');
const { bundleFromJSON, bundleToJSON } = require('@sigstore/bundle');
const { FulcioSigner, MessageSignatureBundleBuilder, RekorWitness, TSAWitness } = require('@sigstore/sign');
const { TrustedRoot } = require('@sigstore/protobuf-specs');
const { Verifier, toSignedEntity, toTrustMaterial } = require('@sigstore/verify');
const sigstore = require('sigstore');

const env = process.env;
const read = (file) => JSON.parse(fs.readFileSync(file, 'utf8'));
// sigstore-js takes what it expects of the signer for a regular expression.
const exactly = (text) => `^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`;

async function sign(file) {
  const config = read(env.WORKSHOP_SIGNING_CONFIG);
  const [fulcio, rekor, tsa] = [config.caUrls[0], config.rekorTlogUrls[0], config.tsaUrls[0]];
  const getToken = async () => fs.readFileSync('TOKEN', 'utf8').trim();
  const signer = new FulcioSigner({ fulcioBaseURL: fulcio.url, identityProvider: { getToken } });
  const witnesses = [
    new RekorWitness({ rekorBaseURL: rekor.url, majorApiVersion: rekor.majorApiVersion }),
    // It adds the path by itself.
    new TSAWitness({ tsaBaseURL: tsa.url.replace('/api/v1/timestamp', '') }),
  ];
  const builder = new MessageSignatureBundleBuilder({ signer, witnesses });
  const bundle = await builder.create({ data: fs.readFileSync(file) });
  fs.writeFileSync(`${file}.sigstore.json`, JSON.stringify(bundleToJSON(bundle)));
}

async function verify(file, tuf) {
  const bundle = read(`${file}.sigstore.json`);
  const data = fs.readFileSync(file);
  if (tuf) {
    return sigstore.verify(bundle, data, {
      tufMirrorURL: env.WORKSHOP_TUF,
      tufRootPath: env.WORKSHOP_TUF_ANCHOR,
      tufCachePath: `${process.cwd()}/tuf-of-js`,
      certificateIdentityEmail: exactly(env.WORKSHOP_IDENTITY),
      certificateIssuer: env.WORKSHOP_ISSUER,
    });
  }
  const root = TrustedRoot.fromJSON(read(env.WORKSHOP_TRUSTED_ROOT));
  const verifier = new Verifier(toTrustMaterial(root));
  verifier.verify(toSignedEntity(bundleFromJSON(bundle), data), {
    subjectAlternativeName: exactly(env.WORKSHOP_IDENTITY),
    extensions: { issuer: env.WORKSHOP_ISSUER },
  });
}

const [what, file, tuf] = process.argv.slice(2);
({ sign, verify })[what](file, tuf).catch((error) => {
  console.error(String(error));
  process.exit(1);
});
