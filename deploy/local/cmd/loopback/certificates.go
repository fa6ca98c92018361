package main

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"net"
	"time"

	"github.com/sigstore/sigstore/pkg/cryptoutils"
	tsx509 "github.com/sigstore/timestamp-authority/v2/pkg/x509"
)

const (
	day         = 24 * time.Hour
	decade      = 3652 * day
	tlsLifetime = 397 * day // the longest that TLS clients put up with
	tlsRenewal  = 30 * day
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

func newServerCertificate(key crypto.Signer) ([]byte, error) {
	cert, err := issue(&x509.Certificate{
		Subject:               subject("localhost"),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		DNSNames:              []string{"localhost"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}, nil, key.Public(), key, tlsLifetime)
	if err != nil {
		return nil, err
	}
	return cryptoutils.MarshalCertificateToPEM(cert)
}

// checkServerCertificate lets the certificate be renewed before it expires: no
// signature hangs on it.
func checkServerCertificate(certs []*x509.Certificate, key crypto.Signer) error {
	if len(certs) != 1 {
		return fmt.Errorf("holds %d certificates, want 1", len(certs))
	}
	if err := cryptoutils.EqualKeys(certs[0].PublicKey, key.Public()); err != nil {
		return err
	}
	if time.Until(certs[0].NotAfter) < tlsRenewal {
		return errStale
	}
	return nil
}
