package main

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/sigstore/sigstore/pkg/cryptoutils"
	tsx509 "github.com/sigstore/timestamp-authority/v2/pkg/x509"
)

const (
	day         = 24 * time.Hour
	decade      = 3652 * day
	tlsLifetime = 397 * day // the longest that TLS clients put up with
	tlsRenewal  = 30 * day

	intermediateLifetime = 3 * 365 * day
)

func subject(commonName string) pkix.Name {
	return pkix.Name{Organization: []string{"workshop"}, CommonName: commonName}
}

func authority(commonName string) *x509.Certificate {
	return &x509.Certificate{
		Subject:               subject(commonName),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true, // it signs end-entity certificates only
	}
}

// issue signs a certificate for the public key, by itself where parent is nil.
// Its serial number is a random one of package x509's.
func issue(template, parent *x509.Certificate, public crypto.PublicKey, signer crypto.Signer, lifetime time.Duration) (*x509.Certificate, error) {
	id, err := cryptoutils.SKID(public)
	if err != nil {
		return nil, err
	}
	template.SubjectKeyId = id
	template.NotBefore = time.Now()
	template.NotAfter = template.NotBefore.Add(lifetime)
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// chain makes of a check of certificates one of the file that holds them.
func chain(check func([]*x509.Certificate, crypto.Signer) error) func([]byte, crypto.Signer) error {
	return func(public []byte, key crypto.Signer) error {
		certs, err := cryptoutils.UnmarshalCertificatesFromPEM(public)
		if err != nil {
			return err
		}
		return check(certs, key)
	}
}

func newCA(key crypto.Signer) ([]byte, error) {
	cert, err := issue(authority("workshop fulcio"), nil, key.Public(), key, decade)
	if err != nil {
		return nil, err
	}
	return cryptoutils.MarshalCertificateToPEM(cert)
}

// The files of an offline root.
const offlineRoot = "fulcio-root"

// newCABelow signs the CA with a root whose key is in a directory of its own, which
// can be kept elsewhere until the next CA is made.
func newCABelow(dir string) func(crypto.Signer) ([]byte, error) {
	return func(key crypto.Signer) ([]byte, error) {
		root, rootKey, err := makeRoot(filepath.Join(dir, offlineRoot), newRoot)
		if err != nil {
			return nil, err
		}
		template := authority("workshop fulcio intermediate")
		// What is above a certificate for code signing must be for that as well.
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
		cert, err := issue(template, root, key.Public(), rootKey, min(intermediateLifetime, time.Until(root.NotAfter)))
		if err != nil {
			return nil, err
		}
		return cryptoutils.MarshalCertificatesToPEM([]*x509.Certificate{cert, root})
	}
}

// makeRoot makes a root where there is none, and reads it.
func makeRoot(prefix string, publish func(crypto.Signer) ([]byte, error)) (*x509.Certificate, crypto.Signer, error) {
	if err := (pair{plainP256, ".pem", publish, chain(checkRoot)}.make(prefix)); err != nil {
		return nil, nil, err
	}
	key, err := plainP256.read(prefix + ".key")
	if err != nil {
		return nil, nil, err
	}
	text, err := os.ReadFile(prefix + ".pem")
	if err != nil {
		return nil, nil, err
	}
	certs, err := cryptoutils.UnmarshalCertificatesFromPEM(text)
	if err != nil {
		return nil, nil, err
	}
	return certs[0], key, nil
}

func newRoot(key crypto.Signer) ([]byte, error) {
	template := authority("workshop fulcio root")
	template.MaxPathLenZero, template.MaxPathLen = false, 1
	cert, err := issue(template, nil, key.Public(), key, 2*decade)
	if err != nil {
		return nil, err
	}
	return cryptoutils.MarshalCertificateToPEM(cert)
}

func checkRoot(certs []*x509.Certificate, key crypto.Signer) error {
	if len(certs) != 1 || !certs[0].IsCA {
		return fmt.Errorf("holds %d certificates, want that of one root", len(certs))
	}
	return cryptoutils.EqualKeys(certs[0].PublicKey, key.Public())
}

// newTimestampChain signs the timestamping certificate with a root of its own,
// as RFC 3161 clients want a chain. The root's key is thrown away after that:
// there is nothing more for it to sign.
func newTimestampChain(key crypto.Signer) ([]byte, error) {
	rootKey, err := newP256()
	if err != nil {
		return nil, err
	}
	root, err := issue(authority("workshop timestamp root"), nil, rootKey.Public(), rootKey, decade)
	if err != nil {
		return nil, err
	}
	usage, err := asn1.Marshal([]asn1.ObjectIdentifier{tsx509.EKUTimestampingOID})
	if err != nil {
		return nil, err
	}
	leaf, err := issue(&x509.Certificate{
		Subject:               subject("workshop timestamp"),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
		// RFC 3161 wants the usage critical, which ExtKeyUsage cannot say.
		ExtraExtensions: []pkix.Extension{{Id: tsx509.EKUOID, Critical: true, Value: usage}},
	}, root, key.Public(), rootKey, decade)
	if err != nil {
		return nil, err
	}
	return cryptoutils.MarshalCertificatesToPEM([]*x509.Certificate{leaf, root})
}

func checkTimestampChain(certs []*x509.Certificate, key crypto.Signer) error {
	return tsx509.VerifyCertChain(certs, key, true)
}

// The files of the CA of certificates for TLS, beside the first of these.
const tlsCA = "tls-ca"

// makeServerCertificate makes a certificate below a CA of its own, so that clients which
// trust the CA go on when the certificate is replaced.
func makeServerCertificate(prefix string) error {
	authority := filepath.Join(filepath.Dir(prefix), tlsCA)
	publish := func(key crypto.Signer) ([]byte, error) { return newServerCertificate(authority, key) }
	return pair{plainP256, ".pem", publish, chain(checkServerCertificate)}.make(prefix)
}

func newServerCertificate(authority string, key crypto.Signer) ([]byte, error) {
	root, rootKey, err := makeRoot(authority, newTLSCA)
	if err != nil {
		return nil, err
	}
	cert, err := issue(&x509.Certificate{
		Subject:               subject("localhost"),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		DNSNames:              []string{"localhost"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}, root, key.Public(), rootKey, min(tlsLifetime, time.Until(root.NotAfter)))
	if err != nil {
		return nil, err
	}
	return cryptoutils.MarshalCertificatesToPEM([]*x509.Certificate{cert, root})
}

// newTLSCA vouches for nothing but this machine, whatever becomes of its key.
func newTLSCA(key crypto.Signer) ([]byte, error) {
	template := authority("workshop tls")
	template.PermittedDNSDomainsCritical = true
	template.PermittedDNSDomains = []string{"localhost"}
	template.PermittedIPRanges = []*net.IPNet{
		{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)},
		{IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)},
	}
	cert, err := issue(template, nil, key.Public(), key, 2*decade)
	if err != nil {
		return nil, err
	}
	return cryptoutils.MarshalCertificateToPEM(cert)
}

// checkServerCertificate lets the certificate be renewed before it expires: no
// signature hangs on it. One that stands alone was made before there was a CA.
func checkServerCertificate(certs []*x509.Certificate, key crypto.Signer) error {
	if len(certs) != 1 && len(certs) != 2 {
		return fmt.Errorf("holds %d certificates, want it and its CA's", len(certs))
	}
	if err := cryptoutils.EqualKeys(certs[0].PublicKey, key.Public()); err != nil {
		return err
	}
	if time.Until(certs[0].NotAfter) < tlsRenewal {
		return errStale
	}
	return nil
}
