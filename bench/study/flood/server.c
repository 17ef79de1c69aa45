/*
 * study/flood/server.c: the servers' files, their processes, and what they use.
 *
 * The harness is the parent of a server: it reads of it what /proc has, its network namespace's
 * interfaces included.
 */
#include "study/flood/parts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <net/if.h>
#include <net/route.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <tlsyn/loop.h>
#include <unistd.h>

enum { END_MS = 3000 };

#define START_WAIT TLSYN_SECONDS(60)

static const char nginx_conf[] = "user root;\n"
                                 "daemon off;\n"
                                 "master_process off;\n"
                                 "error_log %s/error.log crit;\n"
                                 "pid %s/nginx.pid;\n"
                                 "events { worker_connections 4096; }\n"
                                 "http {\n"
                                 "    access_log off;\n"
                                 "    client_body_temp_path %s/t1;\n"
                                 "    proxy_temp_path %s/t2;\n"
                                 "    fastcgi_temp_path %s/t3;\n"
                                 "    uwsgi_temp_path %s/t4;\n"
                                 "    scgi_temp_path %s/t5;\n"
                                 "    server {\n"
                                 "        listen %s:%u ssl fastopen=256 backlog=1024;\n"
                                 "        ssl_certificate %s/chain.pem;\n"
                                 "        ssl_certificate_key %s/key.pem;\n"
                                 "        ssl_protocols TLSv1.3;\n"
                                 "        ssl_session_tickets off;\n"
                                 "        location / { return 200 \"hello\\n\"; }\n"
                                 "    }\n"
                                 "}\n";

const char *flood_server_address(enum flood_pair pair)
{
    const struct lab_host_info *info = lab_host_info(LAB_SERVER);

    return pair == FLOOD_NGINX_STOCK ? info->kernel_address : info->stack_address;
}

/* --- files ------------------------------------------------------------------------------------ */

static const char *const files[] = {"chain.pem", "key.pem",    "nginx.conf",    "error.log",
                                    "nginx.pid", "server.log", "www/index.html"};
static const char *const folders[] = {"www", "t1", "t2", "t3", "t4", "t5"};

static int write_file(const struct flood_ground *g, const char *name, const char *text)
{
    char path[256];
    int fd, error;

    (void)snprintf(path, sizeof(path), "%s/%s", g->folder, name);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    error = write(fd, text, strlen(text)) < 0 ? -errno : 0;
    return close(fd) < 0 && error == 0 ? -errno : error;
}

static int write_files(struct flood_ground *g)
{
    const struct tlsyn_certified *c = credentials_for(g->credentials, STUDY_13);
    const char *f = g->folder, *parent = getenv("TMPDIR");
    char conf[4096], path[256];
    int error;

    (void)snprintf(g->folder, sizeof(g->folder), "%s/tlsyn-flood-XXXXXX", parent ? parent : "/tmp");
    if (!mkdtemp(g->folder)) {
        error = -errno;
        g->folder[0] = '\0';
        return error;
    }
    (void)snprintf(path, sizeof(path), "%s/www", f);
    (void)snprintf(conf, sizeof(conf), nginx_conf, f, f, f, f, f, f, f,
                   flood_server_address(FLOOD_NGINX_STOCK), FLOOD_PORT, f, f);
    error = mkdir(path, 0700) < 0 ? -errno : write_file(g, "chain.pem", c->chain);
    if (error == 0)
        error = write_file(g, "key.pem", c->key);
    if (error == 0)
        error = write_file(g, "www/index.html", "hello\n");
    return error == 0 ? write_file(g, "nginx.conf", conf) : error;
}

void flood_ground_close(struct flood_ground *g)
{
    char path[256];

    if (g->folder[0] == '\0')
        return;
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", g->folder, files[i]);
        (void)unlink(path);
    }
    for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", g->folder, folders[i]);
        (void)rmdir(path);
    }
    (void)rmdir(g->folder);
    g->folder[0] = '\0';
}

/* --- the host --------------------------------------------------------------------------------- */

static int set_address(struct sockaddr *at, const char *text)
{
    struct sockaddr_in *in = (struct sockaddr_in *)(void *)at;

    in->sin_family = AF_INET;
    return inet_pton(AF_INET, text, &in->sin_addr) == 1 ? 0 : -EINVAL;
}

/* Answers to forged SYNs take the way that everything off the link takes. */
static int add_route(int fd)
{
    struct rtentry route = {.rt_flags = RTF_UP | RTF_GATEWAY};

    if (set_address(&route.rt_dst, FLOOD_NETWORK) < 0 ||
        set_address(&route.rt_genmask, "255.254.0.0") < 0 ||
        set_address(&route.rt_gateway, lab_host_info(LAB_CLIENT)->kernel_address) < 0)
        return -EINVAL;
    return ioctl(fd, SIOCADDRT, &route) < 0 && errno != EEXIST ? -errno : 0;
}

/* As `sysctl net.ipv4.tcp_fastopen=0x603`: where that is forbidden, nginx has no Fast Open. */
static void allow_fastopen(void)
{
    int fd = open("/proc/sys/net/ipv4/tcp_fastopen", O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    if (write(fd, "1539", 4) < 0) {
        /* see above */
    }
    (void)close(fd);
}

static int prepare_host(void *argument)
{
    const struct flood_child *child = argument;
    const char *interface = lab_host_info(LAB_SERVER)->interface;
    struct flood_message m = {.word = FLOOD_READY};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq request = {0};

    memcpy(request.ifr_name, interface, strnlen(interface, IFNAMSIZ - 1));
    m.error = fd < 0 ? -errno : add_route(fd);
    if (m.error == 0 && ioctl(fd, SIOCGIFHWADDR, &request) < 0)
        m.error = -errno;
    memcpy(m.server_hw, request.ifr_hwaddr.sa_data, 6);
    allow_fastopen();
    if (fd >= 0)
        (void)close(fd);
    return flood_tell(child->control, &m) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int ask_host(struct flood_ground *g)
{
    struct flood_child child = {.ground = g};
    struct flood_message m;
    int ends[2], status;
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    child.control = ends[1];
    pid = lab_spawn(g->lab, LAB_SERVER, prepare_host, &child);
    (void)close(ends[1]);
    int error = pid < 0 ? pid : actor_receive(ends[0], &m, sizeof(m), END_MS);
    (void)close(ends[0]);
    if (pid > 0)
        (void)lab_wait(g->lab, pid, END_MS, &status);
    if (error == 0)
        memcpy(g->server_hw, m.server_hw, sizeof(g->server_hw));
    return error == 0 ? m.error : error;
}

int flood_ground_open(struct flood_ground *g, char message[STUDY_MESSAGE_MAX])
{
    ssize_t n = readlink("/proc/self/exe", g->program, sizeof(g->program) - 1);
    int error = n < 0 ? -errno : write_files(g);

    if (error == 0)
        error = ask_host(g);
    if (error < 0)
        (void)snprintf(message, STUDY_MESSAGE_MAX, "the server's host cannot be prepared: %s",
                       strerror(-error));
    return error;
}

/* --- the process ------------------------------------------------------------------------------ */

/* What it has to say goes into a file of its own; in a session of its own it hears no Ctrl-C, which
 * is the harness's to obey. */
#define TO_LOG "setsid", "sh", "-c", "exec \"$@\" >\"$0\" 2>&1", log

static pid_t start(const struct flood_ground *g, const char *const argv[])
{
    return lab_exec(g->lab, LAB_SERVER, (char *const *)(uintptr_t)argv);
}

static pid_t start_ours(const struct flood_ground *g, const char *log)
{
    const struct lab_host_info *info = lab_host_info(LAB_SERVER);
    char address[32], port[8], chain[256], key[256], www[256];

    (void)snprintf(address, sizeof(address), "%s/%d", info->stack_address, info->prefix_len);
    (void)snprintf(port, sizeof(port), "%u", FLOOD_PORT);
    (void)snprintf(chain, sizeof(chain), "%s/chain.pem", g->folder);
    (void)snprintf(key, sizeof(key), "%s/key.pem", g->folder);
    (void)snprintf(www, sizeof(www), "%s/www", g->folder);
    const char *const argv[] = {TO_LOG,        g->program,
                                "serve",       "--quiet",
                                "--interface", info->interface,
                                "--address",   address,
                                "--gateway",   lab_host_info(LAB_CLIENT)->kernel_address,
                                "--port",      port,
                                "--cert",      chain,
                                "--key",       key,
                                www,           NULL};
    return start(g, argv);
}

static pid_t start_nginx(const struct flood_ground *g, const char *log)
{
    const char *const argv[] = {TO_LOG, "nginx", "-p", g->folder, "-c", "nginx.conf", NULL};

    return start(g, argv);
}

/* Ours says that it serves, nginx writes down who it is. */
static void await_server(const char *sign)
{
    tlsyn_time until = tlsyn_clock() + START_WAIT;
    struct stat file;

    while ((stat(sign, &file) < 0 || file.st_size == 0) && tlsyn_clock() < until)
        (void)tlsyn_wait(NULL, 0, tlsyn_clock() + TLSYN_MS(5));
}

pid_t flood_server_start(const struct flood_ground *ground, enum flood_pair pair)
{
    char log[256], own[256];
    pid_t pid;

    (void)snprintf(log, sizeof(log), "%s/server.log", ground->folder);
    (void)snprintf(own, sizeof(own), "%s/nginx.pid", ground->folder);
    (void)unlink(log);
    (void)unlink(own);
    pid = pair == FLOOD_NGINX_STOCK ? start_nginx(ground, log) : start_ours(ground, log);
    if (pid > 0)
        await_server(pair == FLOOD_NGINX_STOCK ? own : log);
    return pid;
}

void flood_server_stop(const struct flood_ground *ground, pid_t server)
{
    int status;

    (void)kill(server, SIGTERM);
    if (lab_wait(ground->lab, server, END_MS, &status) == 0)
        return;
    (void)kill(server, SIGKILL);
    (void)lab_wait(ground->lab, server, END_MS, &status);
}

/* --- what it uses ----------------------------------------------------------------------------- */

static int read_proc(pid_t pid, const char *name, char *text, size_t size)
{
    char path[64];
    ssize_t n;
    int fd;

    (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    n = read(fd, text, size - 1);
    (void)close(fd);
    if (n <= 0)
        return n < 0 ? -errno : -ESRCH;
    text[n] = '\0';
    return 0;
}

static int read_cpu(pid_t pid, struct flood_gauge *g)
{
    uint64_t user = 0, system = 0;
    char text[1024];
    int error = read_proc(pid, "stat", text, sizeof(text));
    const char *at = error == 0 ? strrchr(text, ')') : NULL; /* a name may have any character */

    if (error < 0)
        return error;
    if (!at || sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64,
                      &user, &system) != 2)
        return -EPROTO;
    g->cpu = (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
    return 0;
}

static int read_memory(pid_t pid, struct flood_gauge *g)
{
    uint64_t resident = 0;
    char text[128];
    int error = read_proc(pid, "statm", text, sizeof(text));

    if (error == 0 && sscanf(text, "%*u %" SCNu64, &resident) != 1)
        error = -EPROTO;
    g->rss = resident * (uint64_t)sysconf(_SC_PAGESIZE);
    return error;
}

static int read_link(pid_t pid, struct flood_gauge *g)
{
    char text[4096], name[IFNAMSIZ + 2];
    int error = read_proc(pid, "net/dev", text, sizeof(text));
    const char *at;

    if (error < 0)
        return error;
    (void)snprintf(name, sizeof(name), "%s:", lab_host_info(LAB_SERVER)->interface);
    at = strstr(text, name);
    if (!at || sscanf(at + strlen(name), "%" SCNu64 " %*u %*u %*u %*u %*u %*u %*u %" SCNu64,
                      &g->bytes_in, &g->bytes_out) != 2)
        return -EPROTO;
    return 0;
}

int flood_gauge_read(pid_t server, struct flood_gauge *gauge)
{
    int error = read_cpu(server, gauge);

    if (error == 0)
        error = read_memory(server, gauge);
    return error == 0 ? read_link(server, gauge) : error;
}
