"""``ttcs-central trust FOLDER publish``: the root that is to come comes into force, and goes out with those before it.

1 It is checked as a station would, from the root in force.
2 What only revoked keys had signed is told before: stations withdraw it at once.
3 The broker answers before anything is changed. What stands there must not be newer than what is about to stand there:
  then this folder is an old copy.
4 On the disk, in this order: the root in force under its number, the next one under its own, the next one in force, the
  draft gone, what was signed gone. A power cut at any moment leaves a centre that goes on: ``publish`` again does the
  rest.
5 On the broker last: the newest roots, each behind the one before it, retained as one list. So a station that slept
  through several finds its way, and none can be kept from it without the others.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from ttcs_edge import whole_files
from ttcs_edge.central.address import BrokerAddress
from ttcs_edge.central.alert_history import in_force, newest_kept
from ttcs_edge.central.broker import OperatorClient
from ttcs_edge.central.centre import Centre, now, open_centre
from ttcs_edge.central.errors import CentralError
from ttcs_edge.central.export import newest_programmes
from ttcs_edge.central.trust_folder import (
    Waiting,
    chain_of,
    judged,
    kept_roots,
    lacks_of,
    led_on,
    next_draft,
    next_signed,
    numbered_file,
    root_file,
    waiting,
)
from ttcs_edge.central.trust_state import lacking_names, names_now
from ttcs_edge.core.documents import Refused, Signed, TrustRoot
from ttcs_edge.core.trust import alert_subject, check_authority, is_still_signed
from ttcs_edge.durable import sync_folder
from ttcs_edge.wire.documents import read_programme, write_trust_chain
from ttcs_edge.wire.topics import Topics


class Withdrawn(Struct, frozen=True):
    """What is in force, and only keys have signed that the next root does not have: a programme, or an alert."""

    kind: str
    subject: str
    version: int


class Published(Struct, frozen=True):
    """The root in force, whether it came into force just now, and how many roots stand on the broker."""

    root: TrustRoot
    is_new: bool
    count: int


def coming(centre: Centre) -> Waiting | None:
    """The root that is to come into force; None when there is none.

    Raises CentralError ``root-signatures-lacking`` with who lacks, ``trust-refused`` for what else keeps stations from
    taking it.
    """
    found = waiting(centre)
    if found is None:
        return None
    old, new = lacks_of(centre, found)
    if old.missing or new.missing:
        who = [", ".join(one.names) if one.missing else "-" for one in lacking_names((old, new), names_now(centre))]
        fields = {"version": found.root.version, "old": old.version, "old_missing": old.missing, "old_names": who[0]}
        raise CentralError(
            "root-signatures-lacking", **fields, new_missing=new.missing, new_names=who[1], folder=centre.folder
        )
    led_on(write_trust_chain([found.envelope]), centre.trust.document)
    return found


def withdrawn_by(centre: Centre, root: TrustRoot) -> list[Withdrawn]:
    """What of this centre's stations withdraw once a root is in force."""
    return [*_programmes(centre, root), *_alerts(centre, root)]


def _programmes(centre: Centre, root: TrustRoot) -> Iterator[Withdrawn]:
    for scope, file in newest_programmes(centre):
        signed = read_programme(file.read_bytes(), centre.trust.document, scope)
        if not isinstance(signed, Signed) or check_authority(signed, centre.trust.document, now()) is not None:
            continue
        if not is_still_signed(signed, root, "publish"):
            yield Withdrawn("programme", scope, signed.document.version)


def _alerts(centre: Centre, root: TrustRoot) -> Iterator[Withdrawn]:
    for alert in in_force(centre):
        signed = newest_kept(centre, alert.scope, alert.id)
        if signed is not None and not is_still_signed(signed, root, "alert"):
            yield Withdrawn("alert", alert_subject(alert.scope, alert.id), alert.version)


def publish_roots(centre: Centre, broker: BrokerAddress, wanted: Waiting | None) -> Published:
    """Put the root that is ``wanted`` in force, if any, and the list of roots on the broker.

    Raises CentralError ``next-changed`` when another one waits than was looked at, ``trust-behind``, ``overtaken``.
    """
    topic = Topics(centre.settings.topic_root).trust(centre.settings.scope)
    with OperatorClient(centre, broker).connected() as client, centre.alone():
        centre = open_centre(centre.folder, expired=True)
        found = coming(centre)
        if (found and found.envelope) != (wanted and wanted.envelope):
            raise CentralError("next-changed", file=next_signed(centre))
        _check_not_behind(centre, client.standing(topic), found)
        keep_in_force(centre, found)
        centre = open_centre(centre.folder, expired=True)
        roots = kept_roots(centre)
        chain = chain_of(roots)
        client.publish(topic, chain)
        if client.standing(topic) != chain:
            raise CentralError("overtaken", scope=centre.settings.scope, version=centre.trust.document.version)
    return Published(centre.trust.document, found is not None, len(roots))


def _check_not_behind(centre: Centre, standing: bytes | None, found: Waiting | None) -> None:
    """What stands on the broker leads on from the root in force to none that this folder does not have."""
    root = centre.trust.document
    there = root if standing is None else judged(standing, root)
    if isinstance(there, Refused) or there.version == root.version:
        return
    if found is None or there != found.root:
        raise CentralError("trust-behind", version=there.version, ours=root.version, folder=centre.folder)


def keep_in_force(centre: Centre, found: Waiting | None) -> None:
    """Write what is to be in force, and take away what waited. Each step may be the last before a power cut."""
    number = centre.trust.document.version
    whole_files.replace(numbered_file(centre, number), centre.trust.envelope, whole_files.PUBLIC)
    if found is not None:
        whole_files.replace(numbered_file(centre, found.root.version), found.envelope, whole_files.PUBLIC)
        whole_files.replace(root_file(centre), found.envelope, whole_files.PUBLIC)
        number = found.root.version
    if next_signed(centre).is_file():
        for file in (next_draft(centre), next_signed(centre)):
            file.unlink(missing_ok=True)
            sync_folder(file.parent)
