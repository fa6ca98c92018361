import dev.sigstore.KeylessVerifier;
import dev.sigstore.TrustedRootProvider;
import dev.sigstore.VerificationOptions;
import dev.sigstore.VerificationOptions.CertificateMatcher;
import dev.sigstore.bundle.Bundle;
import dev.sigstore.strings.StringMatcher;
import dev.sigstore.tuf.RootProvider;
import dev.sigstore.tuf.SigstoreTufClient;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * Client verify FILE [tuf]: sigstore-java against the Sigstore that `cargo xtask env` names.
 * With tuf it takes the trusted root by TUF, or else from a file. It does not sign: it asks
 * Fulcio over gRPC with TLS.
 */
public class Client {
  public static void main(String[] args) throws Exception {
    var env = System.getenv();
    TrustedRootProvider root = TrustedRootProvider.from(Path.of(env.get("WORKSHOP_TRUSTED_ROOT")));
    if (args.length > 2) {
      var first = RootProvider.fromFile(Path.of(env.get("WORKSHOP_TUF_ANCHOR")));
      var tuf =
          SigstoreTufClient.builder()
              .tufMirror(URI.create(env.get("WORKSHOP_TUF") + "/"), first)
              .tufCacheLocation(Path.of("tuf-of-java").toAbsolutePath());
      root = TrustedRootProvider.from(tuf);
    }
    var bundle = Bundle.from(Path.of(args[1] + ".sigstore.json"), StandardCharsets.UTF_8);
    var expected =
        VerificationOptions.builder()
            .addCertificateMatchers(
                CertificateMatcher.fulcio()
                    .subjectAlternativeName(StringMatcher.string(env.get("WORKSHOP_IDENTITY")))
                    .issuer(StringMatcher.string(env.get("WORKSHOP_ISSUER")))
                    .build())
            .build();
    KeylessVerifier.builder()
        .trustedRootProvider(root)
        .build()
        .verify(Path.of(args[1]), bundle, expected);
  }
}
