#!/usr/bin/env python3
"""Takes the defence against each class of attack out of a copy of the tree, one at a time, and sees
whether the tests notice (docs/TESTING.md, Attacks).

    tests/conformance/defences.py [NAME...]       exit status 1: one that nobody notices

The copy and its build are in $WORK (default: a new folder in $TMPDIR) and stay if $WORK was given.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
UNIT = ("admit", "frag", "neigh", "sources", "tcp_hostile", "tcp_syncookie", "tcp_fastopen", "tcp_embedded",
        "tcp_embed", "tcp_syn_sent", "tcp_syn_received", "tls_stack")

# name, file below stack/ or in tls/, what stands there once, what comes in its place, program, suite
DEFENCES = [
    ("sack-pieces", "tcp/recovery.c", "pieces = conn->board.max;", "pieces = UINT32_MAX;",
     "conformance", "attacks_work"),
    ("tiny-mss", "tcp/options.c",
     "mtu > headers + MSS_MIN ? (uint16_t)(mtu - headers) : MSS_MIN", "(uint16_t)(mtu - headers)",
     "conformance", "attacks_work"),
    ("holes", "core/ranges.c", "{.max = max}", "{.max = UINT16_MAX}",
     "conformance", "attacks_work"),
    ("before-the-syn-ack", "tcp/early.c", "count < EARLY_SEGMENTS_MAX && bytes <= EARLY_BYTES_MAX",
     "count + bytes + 1 > 0", "conformance", "attacks_work"),
    ("fragments-of-one", "ip/frag.c", "d->count >= limits->reassembly_fragments",
     "d->count == UINT16_MAX && limits", "unit", "frag"),
    ("fragments-that-overlap", "ip/frag.c",
     "at < d->count && d->piece[at].from < f->offset + from->len", "false", "unit", "frag"),
    ("fragments-held", "ip/frag_store.c", "        if (enough)", "        if (enough || bytes)",
     "conformance", "attacks_floods"),
    ("option-of-no-length", "wire/tcp_options.c",
     "if (option_len < 2)\n            return -EBADMSG;", "if (option_len < 2)\n            break;",
     "conformance", "attacks_bytes"),
    ("option-past-the-end", "wire/tcp_options.c", "if (!body)\n            return -EBADMSG;",
     "if (!body)\n            break;", "conformance", "attacks_bytes"),
    ("urgent-past-the-text", "tcp/urgent.c",
     "conn->fin_received && left > conn->rcv.used ? conn->rcv.used : left", "left", "conformance", "attacks_bytes"),
    ("ip-length", "wire/ip4.c", "return ip->total_len > len ? -EMSGSIZE : 0;",
     "return len ? 0 : -EMSGSIZE;", "conformance", "attacks_bytes"),
    ("extension-headers", "wire/ip6.c", "count == IP6_EXTENSIONS_MAX", "count == 10000",
     "conformance", "attacks_bytes"),
    ("source-route", "ip/ip4.c",
     "found == WIRE_ROUTE_OVER && limits->source_routes", "found == WIRE_ROUTE_OVER",
     "conformance", "attacks_bytes"),
    ("icmp4-quotes-too-little", "wire/icmp4.c", "quoted.payload_len < ICMP4_QUOTED_MIN ? -EMSGSIZE : 0",
     "0", "conformance", "attacks_bytes"),
    ("icmp6-quotes-too-little", "ip/icmp6.c", "chain.payload_len < sizeof(error->quoted)", "false",
     "conformance", "attacks_bytes"),
    ("icmp-with-a-guess", "tcp/tcp.c",
     "return seq_geq(seq, conn->snd_una) && seq_lt(seq, conn->snd_nxt);", "return conn || seq;",
     "conformance", "attacks_blind"),
    ("blind-reset", "tcp/input.c", "if (segment->seq != conn->rcv_nxt) {", "if (0) {",
     "conformance", "attacks_blind"),
    ("blind-syn", "tcp/input.c", "if (conn->state == TLSYN_SYN_RECEIVED && !conn->active) {",
     "if (conn) {", "conformance", "attacks_blind"),
    ("blind-text", "tcp/ack.c", "if (!is_acceptable(conn, segment->ack)) {",
     "if (seq_gt(segment->ack, conn->snd_nxt)) {", "conformance", "rfc5961"),
    ("challenges", "tcp/reply.c",
     "if (!budget_take(&conn->challenges, conn->tcp->cx->now))\n        return;", "",
     "conformance", "attacks_blind"),
    ("land", "ip/ip4.c", "if (!ip_may_arrive(iface, &ip4->src, &ip4->dst))", "if (0)",
     "conformance", "attacks_blind"),
    ("numbers", "tcp/isn.c", "now / ISN_TICK + isn_hash(key, local, remote, SALT_ISN)",
     "now / ISN_TICK", "conformance", "attacks_blind"),
    ("ports", "tcp/demux.c", "random_below(tcp->cx->random, PORT_COUNT)", "0",
     "conformance", "attacks_blind"),
    ("neighbours-in-use", "ip/neigh.c", "if (!for_use && n->used)", "if (0)",
     "conformance", "attacks_floods"),
    ("neighbours-unresolved", "ip/neigh.c", "cache->unresolved_count > cache->table.max / 2",
     "false", "unit", "neigh"),
    ("neighbour-queue", "ip/neigh.c", "n->queue.bytes > cx->limits.neighbour_queue_bytes",
     "n->queue.bytes > 1000000000", "conformance", "attacks_floods"),
    ("window-that-shuts-and-opens", "tcp/retransmit.c",
     "if (!tcp_stop_persist(conn))\n        return;", "tcp_stop_persist(conn);",
     "conformance", "attacks_work"),
    ("window-by-single-bytes", "tcp/due.c",
     "return c->len > 0 && c->len >= conn->snd_wnd_max / 2;", "return c->len > 0;",
     "conformance", "attacks_work"),
    ("optimistic-acks", "tcp/ack.c", "if (!is_acceptable(conn, segment->ack)) {",
     "if (seq_lt(segment->ack, conn->snd_una - conn->snd_wnd_max)) {",
     "conformance", "attacks_work"),
    ("acks-of-single-bytes", "tcp/cc.c", "acked < room ? acked : room",
     "cc->smss < room ? cc->smss : room", "conformance", "attacks_work"),
    ("made-up-duplicates", "tcp/retransmit.c",
     "if (conn->cc.cwnd - conn->cc.smss < conn->cc.ssthresh + tcp_flight_size(conn))", "",
     "unit", "tcp_hostile"),
    ("timestamps-backwards", "tcp/input.c",
     "if (seq_geq(segment->options.tsval, conn->ts_recent) ||", "if (true ||",
     "conformance", "attacks_work"),
    ("sockstress", "tcp/shut.c", "*first = list_first(&tcp->shut);", "*first = NULL;",
     "conformance", "attacks_work"),
    ("abandoned-and-shut", "tcp/retransmit.c", "if (conn->probes == 0 && !conn->released)",
     "if (conn->probes == 0)", "unit", "tcp_hostile"),
    ("syn-flood", "tcp/admit.c", "return tcp->cx->limits.syn_cookies && tcp->half_open",
     "return false && tcp->half_open", "unit", "tcp_syncookie"),
    ("syn-backlog", "tcp/handshake_passive.c",
     "if (tcp->half_open > tcp->cx->limits.syn_backlog)", "if (0)", "unit", "tcp_hostile"),
    ("hello-flood", "tcp/admit.c",
     "if (!has_room(tcp, admitted) || !budget_take(&tcp->embeds, tcp->cx->now))", "if (0)",
     "conformance", "attacks_floods"),
    ("one-source", "tcp/sources.c", ">= allowed(s, share, scope))", "== UINT32_MAX)",
     "unit", "sources"),
    ("stolen-cookie", "tcp/admit.c",
     "return sources_take(&tcp->sources, &ask->ends.remote, SOURCE_EMBEDS) ? valid",
     "return tcp ? valid", "unit", "tcp_fastopen"),
    ("replayed-syn", "tcp/input.c", "if (budget_take(&conn->challenges, conn->tcp->cx->now)) {",
     "if (conn) {", "conformance", "rfc5961"),
    ("amplification", "tcp/segment.c", "return (int64_t)(3 * opening->unvalidated_in)",
     "return (int64_t)(4 * opening->unvalidated_in)", "unit", "tcp_hostile"),
    ("wrong-cookie", "tcp/admit.c", "if (same(good, options->cookie))", "if (same(good, good))",
     "unit", "tcp_fastopen"),
    ("cookie-of-another-length", "tcp/admit.c", "if (options->cookie_len != TCP_COOKIE_LEN)",
     "if (options->cookie_len == 0)", "unit", "tcp_fastopen"),
    ("cookie-of-another-host", "tcp/admit.c",
     "memcpy(bytes, ends->remote.byte, sizeof(ends->remote.byte));",
     "memset(bytes, 0, sizeof(ends->remote.byte));", "unit", "admit"),
    ("syn-ack-of-too-much", "tcp/handshake.c",
     "seq_leq(segment->ack, conn->iss) || seq_gt(segment->ack, conn->snd_nxt)",
     "seq_leq(segment->ack, conn->iss)", "unit", "tcp_syn_sent"),
    ("hello-of-two-syns", "tcp/handshake.c", "return used > limit ? 0 : (uint16_t)used;",
     "return (uint16_t)(used > limit ? limit : used);", "unit", "tcp_fastopen"),
    ("who-stops-after-his-syn", "tcp/retransmit.c", "if (now - conn->stalled_since < r2)",
     "if (r2 > 0)", "unit", "tcp_syn_received"),
    ("who-stops-in-tls", "tls/hooks.c", "tls_fail(tls, ERROR_TOO_SLOW, false);",
     "(void)0;", "unit", "tls_stack"),
    ("path-that-dies-later", "tcp/embed.c", "if (!conn->unproved || was_heard(conn))",
     "if (!conn->unproved)", "unit", "tcp_embed"),
    ("server-that-speaks-first", "tcp/input.c", "        embed_text_arrives(conn);", "        (void)0;",
     "unit", "tcp_embed"),
    ("ticket-of-another-name", "tls/ticket.c",
     "memcpy(aad + TICKET_NAME + 2, owner->asked, sizeof(owner->asked));",
     "memset(aad + TICKET_NAME + 2, 0, sizeof(owner->asked));", "tls-unit", "returning"),
    ("ticket-of-another-key", "tls/ticket.c",
     "t->key[i].made != 0 && memcmp(t->key[i].name, name, TICKET_NAME) == 0",
     "t->key[i].made != 0 && name", "tls-unit", "returning"),
    ("expired-ticket", "tls/ticket.c", "if (code == 0 && is_expired(t, session))",
     "if (code == 0 && is_expired(t, session) && t == NULL)", "tls-unit", "returning"),
    ("id-of-another-name", "tls/session_ids.c", "return p->owner.version == owner->version &&",
     "return p->owner.version == owner->version ||", "tls-unit", "returning"),
    ("expired-id", "tls/session_ids.c", "if (s->place[at - 1].until <= now)", "if (now < 0)",
     "tls-unit", "returning"),
    ("replayed-early-data", "tls/strikes.c", "if (live && memcmp(one->id, digest, STRIKES_ID) == 0)",
     "if (live && memcmp(one->id, digest, STRIKES_ID) == 99)", "tls-unit", "early"),
    ("full-register", "tls/strikes.c", "if (place == NULL)\n        return STRIKES_FULL;",
     "if (place == NULL)\n        place = group;", "tls-unit", "strikes"),
]


def run(command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False, **more)


def copy_tree(to):
    """What git knows or would add, with the times it has: a build that is there stays good."""
    names = run(["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
    for name in filter(None, names.stdout.split("\0")):
        if not (ROOT / name).exists():
            continue
        if (to / name).exists() and (to / name).read_bytes() == (ROOT / name).read_bytes():
            continue  # an older date would hide from the build what was put back last
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, to / name)


def build(work):
    return run(["ninja", "-C", work / "build", "conformance", "unit", "tls-unit"])


def notices(work, program, suite):
    """The name of a test that fails, or None."""
    try:
        said = run([work / "build/tests" / program, suite], timeout=120,
                   env=os.environ | {"ASAN_OPTIONS": "detect_leaks=0"})
    except subprocess.TimeoutExpired:
        return "hangs"
    if said.returncode == 0:
        return None
    for line in said.stdout.splitlines():
        if ":F:" in line or ":E:" in line:
            return line.split(":")[4]
    return "dies"


def try_one(work, defence):
    name, file, there, instead, program, suite = defence
    path = (work if file.startswith("tls/") else work / "stack") / file
    text = path.read_text()
    if text.count(there) != 1:
        return f"{name}: {file} has it {text.count(there)} times"
    path.write_text(text.replace(there, instead))
    built = build(work)
    test = notices(work, program, suite) if built.returncode == 0 else None
    path.write_text(text)
    if built.returncode != 0:
        return f"{name}: does not compile: {built.stdout[-400:]}"
    return f"{name}: {suite}/{test}" if test else f"{name}: NOT NOTICED"


def main():
    given = os.environ.get("WORK")
    work = pathlib.Path(given or tempfile.mkdtemp(prefix="tlsyn-defences."))
    unknown = set(sys.argv[1:]) - {d[0] for d in DEFENCES}
    if unknown:
        sys.exit(f"no such defence: {' '.join(unknown)}")
    copy_tree(work)
    run(["cmake", "-S", work, "-B", work / "build", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug",
         "-DTLSYN_SANITIZE=ON", "-DTLSYN_CHECK=ON", "-DTLSYN_WERROR=OFF",
         f"-DTLSYN_UNIT={';'.join(UNIT)}"])
    first = build(work)
    if first.returncode != 0:
        sys.exit(first.stdout[-2000:])
    missed = 0
    for defence in DEFENCES:
        if len(sys.argv) > 1 and defence[0] not in sys.argv[1:]:
            continue
        said = try_one(work, defence)
        missed += "/" not in said.split(":", 1)[1] or "NOT" in said
        print(said, flush=True)
    if not given:
        shutil.rmtree(work)
    sys.exit(missed > 0)


if __name__ == "__main__":
    main()
