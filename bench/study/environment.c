/*
 * study/environment.c: on what was measured.
 */
#include "study/environment.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "study/journal.h"

/* The rest of the first line that begins with `key`, without blanks, colon, equals sign and
 * quotes around it. */
static void find_value(const char *path, const char *key, char *value, size_t size)
{
    char line[512];
    FILE *file = fopen(path, "re");

    (void)snprintf(value, size, "unknown");
    while (file && fgets(line, sizeof(line), file)) {
        const char *at = line + strlen(key);

        if (strncmp(line, key, strlen(key)) != 0)
            continue;
        at += strspn(at, " \t:=\"");
        (void)snprintf(value, size, "%.*s", (int)strcspn(at, "\"\n"), at);
        break;
    }
    if (file)
        (void)fclose(file);
}

void environment_read(struct environment *environment)
{
    struct utsname name;
    struct tm tm;
    time_t now = time(NULL);

    *environment = (struct environment){.cpus = (int)sysconf(_SC_NPROCESSORS_ONLN)};
    if (uname(&name) == 0)
        (void)snprintf(environment->kernel, sizeof(environment->kernel), "%s %s %s", name.sysname,
                       name.release, name.machine);
    find_value("/proc/cpuinfo", "model name", environment->cpu, sizeof(environment->cpu));
    find_value("/etc/os-release", "PRETTY_NAME", environment->system, sizeof(environment->system));
    (void)strftime(environment->when, sizeof(environment->when), "%Y-%m-%dT%H:%M:%SZ",
                   gmtime_r(&now, &tm));
}

void environment_json_machine(const struct environment *environment, struct json *j)
{
    json_member_string(j, "kernel", environment->kernel);
    json_member_string(j, "system", environment->system);
    json_member_string(j, "cpu", environment->cpu);
    json_member_integer(j, "cpus", environment->cpus);
}

void environment_json(const struct environment_run *run, struct json *j)
{
    struct environment e;

    environment_read(&e);
    json_key(j, "environment");
    json_object(j);
    json_member_string(j, "command", run->command);
    json_member_string(j, "version", run->version);
    json_member_string(j, "when", e.when);
    environment_json_machine(&e, j);
    json_member_number(j, "seconds", run->seconds);
    noise_json(run->noise, j);
    if (run->link)
        study_link_json(run->link, j);
    json_member_bool(j, "interrupted", run->interrupted);
}

static void put_environment(const struct environment_run *run, const char *how, struct html *html)
{
    struct environment e;
    char took[96], noise[200], cpus[sizeof(e.cpu) + 32], link[STUDY_LINK_TEXT] = "";

    environment_read(&e);
    (void)snprintf(took, sizeof(took), "%.0f s%s", run->seconds,
                   run->interrupted ? ", and was interrupted" : "");
    if (run->link)
        (void)study_link_text(run->link, link);
    (void)snprintf(cpus, sizeof(cpus), "%s, %d online", e.cpu, e.cpus);
    const struct html_field fields[] = {
        {"conditions", how},
        {"took", took},
        {"noise", noise_sentence(run->noise, noise, sizeof(noise))},
        {"tlsyn", run->version},
        {"kernel", e.kernel},
        {"system", e.system},
        {"processors", cpus},
        {"written", e.when},
        {"link", link},
    };
    size_t count = sizeof(fields) / sizeof(fields[0]);

    html_section(html, "What was measured, and on what");
    html_fields(html, fields, run->link ? count : count - 1);
}

static void put_files(const struct environment_run *run, struct html *html)
{
    char figures[64];

    (void)snprintf(figures, sizeof(figures), "%s.json", run->study);
    const struct html_link links[] = {
        {figures, figures, "the figures of this page, for programs"},
        {JOURNAL_FILE, JOURNAL_FILE, "each observation, a line each, as it was made"}};
    html_section(html, "Files");
    html_links(html, links, sizeof(links) / sizeof(*links));
}

void environment_again(const char *command, struct html *html)
{
    html_section(html, "How to do this again");
    html_code(html, command);
}

int environment_end_page(const struct environment_run *run, const char *how, struct html *html)
{
    put_environment(run, how, html);
    put_files(run, html);
    environment_again(run->command, html);
    return html_end(html);
}
