"""The XML signature of a CAP file (CAP 1.2, 3.3.2.1; W3C XML Signature): whether it holds, and whose it is.

All of the alert must be what was signed: a signature over a part of it, or over something that lies within itself,
holds as well in whatever file it is moved into, and capvalidator takes it. Some authors' programs sign an alert without
the white space between its elements, and send it with it; most sign it as it stands: either will do. Whose a signature
is, the certificate in the file does not say, for anybody can put one there: only one that was had beforehand does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

SIGNATURE: Final = "{http://www.w3.org/2000/09/xmldsig#}Signature"
CERTIFICATE: Final = f".//{SIGNATURE.removesuffix('Signature')}X509Certificate"


def is_intact(data: bytes) -> bool:
    """Tell whether what was signed is as it was signed. Whose certificate it is, this does not say."""
    from cryptography.x509 import load_pem_x509_certificate

    inside = "".join((_parsed(data, blanks=True).findtext(CERTIFICATE) or "").split())
    pem = f"-----BEGIN CERTIFICATE-----\n{inside}\n-----END CERTIFICATE-----\n"
    try:
        return _covers_all(data, load_pem_x509_certificate(pem.encode()))
    except ValueError:
        return False


def is_signed_by(data: bytes, certificates: Sequence[Certificate]) -> bool:
    """Tell whether one of some certificates signed all of an alert. What lies in the file itself is not believed."""
    return any(_covers_all(data, one) for one in certificates)


def _covers_all(data: bytes, certificate: Certificate) -> bool:
    return any(_holds(_parsed(data, blanks=blanks), certificate) for blanks in (True, False))


def _holds(root: Any, certificate: Certificate) -> bool:
    from signxml.verifier import SignatureConfiguration, XMLVerifier

    try:
        # An alert has one signature, a child of its root, over the whole.
        wanted = SignatureConfiguration(location="./", expect_references=1)
        done: Any = XMLVerifier().verify(root, x509_cert=certificate, expect_config=wanted)
    except Exception:  # each kind of bad signature or certificate fails in its own way
        return False
    for signature in root.findall(SIGNATURE):
        root.remove(signature)
    return done.signed_xml is not None and _letters(done.signed_xml) == _letters(root)


def _parsed(data: bytes, *, blanks: bool) -> Any:
    from lxml import etree

    plain = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False}
    return etree.fromstring(data, etree.XMLParser(remove_blank_text=not blanks, **plain))


def _letters(root: Any) -> bytes:
    """What an alert says, however it is written: in canonical form, without white space between its elements."""
    from lxml import etree

    return bytes(etree.tostring(_parsed(etree.tostring(root), blanks=False), method="c14n"))
