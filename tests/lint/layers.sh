#!/bin/sh
# Reads every #include line against the order of the layers: arrows go down only (CONTRIBUTING.md
# has the picture).
# shellcheck disable=SC2016 # the single quotes hold awk
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

# shellcheck disable=SC2046
findings=$(sources stack tls apps bench | xargs -r awk '
BEGIN {
    # What a room may see of the rooms beside it, by the first part of a quoted include.
    sees["core"] = "core"
    sees["wire"] = "wire core"
    sees["ip"] = "ip wire core"
    sees["tcp"] = "tcp ip wire core"
    sees["udp"] = "udp ip wire core"
    sees["stack"] = "stack tcp udp ip wire core"
    sees["loop"] = "loop core"
    sees["socket"] = "socket loop core"
    sees["link"] = "link wire core"
    sees["control"] = "control"
    sees["stack/include"] = ""
    sees["tls"] = "tls"
    sees["tls/include"] = ""
    sees["apps"] = "apps relay study web report measure store lab peer"
    sees["lab"] = "lab"
    sees["measure"] = "measure"
    sees["report"] = "report measure"
    sees["peer"] = "peer measure"
    sees["web"] = "web"
    sees["study"] = "study web report measure store lab peer"
    sees["store"] = "store"
    sees["micro"] = "micro study measure core wire ip tcp"

    # Public headers that not everybody below may see: NAME -> the rooms that may. The others
    # are open to all.
    public["tls"] = "tls tls/include apps lab study micro"
    public["control"] = "control socket apps"
    public["loop"] = "loop control socket stack/include apps lab study micro"
    public["resolver"] = "loop socket apps lab study micro"
    public["socket"] = "socket tls tls/include apps lab study micro"
    public["conn"] = "tcp stack loop control socket stack/include tls tls/include apps lab study micro"
    public["udp"] = "udp stack loop control socket stack/include apps lab study micro"
    public["dhcp"] = "udp stack loop stack/include apps lab study micro"
    public["stack"] = "core wire ip tcp udp stack loop control socket stack/include tls tls/include apps lab study micro"

    # Libraries: the first part of an angle include -> the rooms that may. Whatever is not named is
    # the C library or the kernel; what of those a pure room may call is the business of purity.sh.
    library["mbedtls"] = library["psa"] = library["everest"] = "tls"
    library["openssl"] = "tls peer"
    library["gnutls"] = library["ngtcp2"] = "peer"
    library["pcap"] = library["pcap.h"] = "link report"
    library["ares.h"] = "loop peer"
    library["libnet.h"] = "link"
    library["http_parser.h"] = "apps web"
    library["libxml"] = library["nghttp2"] = "web"
    library["sys/capability.h"] = "apps"
    library["check.h"] = ""
}
function has(list, word) { return index(" " list " ", " " word " ") > 0 }
function room_of(path, part, n) {
    n = split(path, part, "/")
    if (part[1] == "stack" && part[2] == "include") return "stack/include"
    if (part[1] == "tls" && part[2] == "include") return "tls/include"
    if (part[1] == "tls" || part[1] == "apps") return part[1]
    return n == 2 ? part[1] : part[2]
}
# study_of: the folder of a study that a file of bench/study/ is in; "" for what they share.
function study_of(path, part, n) {
    n = split(path, part, "/")
    return n == 4 ? part[3] : ""
}
function complain(why) {
    printf "%s:%d: %s may not include %s%s%s: %s\n", FILENAME, FNR, room, open, name, open == "<" ? ">" : "\"", why
}
FNR == 1 { room = room_of(FILENAME) }
/^[ \t]*#[ \t]*include/ {
    open = match($0, /</) ? "<" : "\""
    name = $0
    sub(/^[^<"]*[<"]/, "", name)
    sub(/[>"].*$/, "", name)
    n = split(name, part, "/")
    if (!(room in sees)) {
        complain("this folder is not on the plan of the house (tests/lint/layers.sh)")
    } else if (open == "<" && part[1] == "tlsyn") {
        header = part[2]
        sub(/\.[a-z]*$/, "", header)
        if (header in public && !has(public[header], room))
            complain("a public header of a layer above it")
    } else if (open == "<") {
        key = part[1] in library ? part[1] : name
        if (key in library && !has(library[key], room)) complain("a library of another room")
    } else if (n == 1) {
        # A bare name is a file of the top folder: stack.h, or a file of tls/ or apps/.
        if (room == "stack" && name != "stack.h" ||
            room != "stack" && room != "tls" && room != "apps")
            complain("private headers are written from the top folder (\"wire/tcp.h\"), and only downwards")
    } else if (room == "study" && part[1] == "study" && n == 3 && study_of(FILENAME) != part[2]) {
        complain("a study may not see another one; what several share stands in study/ itself")
    } else if (!has(sees[room], part[1])) {
        complain(sees[room] == "" ? "a public header stands on public headers only" : "it may see: " sees[room])
    }
}')

verdict "$findings" "layers: every include goes down"
