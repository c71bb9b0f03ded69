# SPDX-License-Identifier: ISC
"""The private world of the lab.

Network, mounts, host name and processes are the lab's own: nothing of the
host is changed, and everything ends with the first process of the namespace.
/etc, /run, /var and /usr/sbin are fresh tmpfs, so that smtpd and strictmx find
their files at the paths that are compiled into them.
"""
import ctypes
import os
import shutil
import socket
import subprocess

HOSTNAME = "mta.lab.test"
WORK = "/run/lab"                   # keys, configurations
MS_REC, MS_PRIVATE = 0x4000, 0x40000        # <sys/mount.h>
INPUTS = "/mnt"                     # what the lab was called with
SANITIZER = WORK + "/sanitizer"     # reports of ASan and UBSan
USERS = {"opensmtpd": 64901, "opensmtpq": 64902, "strictmx": 64903,
         "postfix": 64904, "postdrop": 64905, "Debian-exim": 64906,
         "forwarder": 64907}
NOBODY = 65534

# A setuid program finds its libraries by what this has written.
LDCONFIG = "/usr/sbin/ldconfig"

# What programs need of the host's /etc; all else is the lab's own.
ETC_OF_HOST = ("alternatives", "ld.so.cache", "ld.so.conf", "ld.so.conf.d",
               "localtime", "protocols", "services", "ssl/openssl.cnf")


def enter(argv):
    """Replaces this process by argv, run as the first of new namespaces."""
    os.execvp("unshare", ["unshare", "--net", "--mount", "--uts", "--ipc",
                          "--pid", "--fork", "--kill-child",
                          "--propagation", "unchanged", "--"] + argv)


def run(*argv):
    """Runs a command of the set-up; its output is only of use when it fails."""
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise RuntimeError("%s: %s" % (" ".join(argv), done.stdout.strip()))
    return done.stdout


def mount_tmpfs(path):
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", path)


def write(path, text, mode=0o644):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    os.chmod(path, mode)


def set_up(inputs, addresses6):
    """Makes the world. inputs are directories by name: logs, prefix, smtpd
    and others, which are then found below INPUTS, wherever they were."""
    os.umask(0o022)
    keep_mounts_private()
    run("mount", "-t", "proc", "proc", "/proc")
    bind(inputs)
    etc = own_etc()
    _, ldconfig = read_etc(LDCONFIG)
    for path in ("/run", "/var", "/opt", "/usr/sbin", "/usr/libexec"):
        mount_tmpfs(path)
    with open(LDCONFIG, "wb") as file:
        file.write(ldconfig)
    os.chmod(LDCONFIG, 0o755)
    for path in (WORK, "/var/lib/opensmtpd/empty", "/var/lib/strictmx",
                 "/run/strictmx", "/var/tmp"):
        os.makedirs(path)
    os.symlink("/run", "/var/run")
    os.makedirs("/var/spool/smtpd", 0o711)
    os.makedirs(SANITIZER)
    os.chmod(SANITIZER, 0o1777)
    for path in ("/var/lib/strictmx", "/run/strictmx"):
        os.chown(path, USERS["strictmx"], USERS["strictmx"])
    fill_etc(etc)
    for name in ("smtpd", "prefix"):
        install(os.path.join(INPUTS, name))
    # As the package does when it is installed: sendmail(8) asks for it.
    os.chown("/usr/sbin/smtpctl", 0, USERS["opensmtpq"])
    os.chmod("/usr/sbin/smtpctl", 0o2755)
    os.makedirs("/opt/strictmx/etc", exist_ok=True)
    socket.sethostname(HOSTNAME)
    bring_up_network(addresses6)


def keep_mounts_private():
    """Nothing that is mounted here may show outside. That is a property of the
    mount on which "/" lies, and in a chroot only the root above it names that
    mount: go up there, in our own namespace, and come back."""
    libc = ctypes.CDLL(None, use_errno=True)
    here = os.open("/", os.O_PATH)
    os.chdir("/")
    os.chroot("/etc")           # not above the current directory any more
    while not os.path.samestat(os.stat("."), os.stat("..")):
        os.chdir("..")
    os.chroot(".")
    if libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None) != 0:
        raise OSError(ctypes.get_errno(), "cannot make the mounts private")
    os.fchdir(here)
    os.chroot(".")
    os.close(here)


def bind(inputs):
    """By descriptor: they may lie where only root can enter, or below one of
    the directories that are about to be hidden."""
    held = {name: os.open(path, os.O_PATH) for name, path in inputs.items()}
    mount_tmpfs(INPUTS)
    for name, fd in held.items():
        os.mkdir(os.path.join(INPUTS, name))
        run("mount", "--bind", "/proc/%d/fd/%d" % (os.getpid(), fd),
            os.path.join(INPUTS, name))
        os.close(fd)


def own_etc():
    """Keeps what is wanted of the host's /etc and puts a tmpfs in its place."""
    kept = {}
    for name in ETC_OF_HOST:
        path = os.path.join("/etc", name)
        if os.path.isdir(path):
            for top, _, files in os.walk(path):
                kept.update(read_etc(os.path.join(top, f)) for f in files)
        elif os.path.exists(path):
            kept.update([read_etc(path)])
    mount_tmpfs("/etc")
    return kept


def read_etc(path):
    if os.path.islink(path) and not os.path.exists(path):
        return path, None
    if os.path.islink(path) and path.startswith("/etc/alternatives/"):
        return path, os.readlink(path)
    with open(path, "rb") as file:
        return path, file.read()


def fill_etc(kept):
    for path, content in kept.items():
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if isinstance(content, str):
            os.symlink(content, path)
        elif content is not None:
            with open(path, "wb") as file:
                file.write(content)
    users = [("root", 0, "/root"), ("mail", 8, "/var/mail"),
             ("nobody", NOBODY, "/nonexistent")]
    users += [(name, uid, "/var/home/" + name) for name, uid in USERS.items()]
    write("/etc/passwd", "".join(
        "%s:x:%d:%d::%s:/bin/sh\n" % (name, uid, uid, home)
        for name, uid, home in users))
    write("/etc/group", "".join(
        "%s:x:%d:\n" % (name, uid) for name, uid, _ in users))
    write("/etc/nsswitch.conf",
          "passwd: files\ngroup: files\nhosts: files dns\n")
    write("/etc/resolv.conf", "nameserver 127.0.0.1\n")
    write("/etc/hosts", "127.0.0.1 localhost\n127.0.0.1 %s\n" % HOSTNAME)
    write("/etc/mailname", HOSTNAME + "\n")


def install(root):
    """Copies an unpacked package, or a tree of `make install DESTDIR=`."""
    for part in ("opt", "usr/sbin", "usr/libexec"):
        path = os.path.join(root, part)
        if os.path.isdir(path):
            shutil.copytree(path, "/" + part, symlinks=True,
                            dirs_exist_ok=True)


def libraries(name):
    """LD_LIBRARY_PATH for the programs of an unpacked input."""
    return ":".join(
        directory for directory, _, _ in os.walk(os.path.join(INPUTS, name))
        if directory.endswith(("-linux-gnu", "/lib", "/lib/postfix")))


def bring_up_network(addresses6):
    """smtpd asks for A and AAAA only when an address beside 127.0.0.1 and ::1
    is there (AI_ADDRCONFIG)."""
    run("ip", "link", "set", "lo", "up")
    run("ip", "address", "add", "127.0.0.2/8", "dev", "lo")
    for address in addresses6:
        run("ip", "address", "add", address + "/128", "dev", "lo", "nodad")


def take_sanitizer_reports(of_the_living):
    """The reports since it was last asked, as (name, text). A process that is
    there may be writing its report still."""
    reports = []
    for name in sorted(os.listdir(SANITIZER)):
        path = os.path.join(SANITIZER, name)
        pid = name.rpartition(".")[2]
        if os.path.exists("/proc/" + pid) and not of_the_living:
            continue
        with open(path, errors="replace") as file:
            reports.append((name, file.read()))
        os.remove(path)
    return reports


def sanitizer_environment():
    options = "log_path=%s/report:detect_leaks=1:print_stacktrace=1" % SANITIZER
    return {"ASAN_OPTIONS": options, "UBSAN_OPTIONS": options}


def without_quarantine():
    """A command's beginning: what is freed is free at once, under sanitizers
    too, so that the memory that is in use can be seen."""
    return ["/usr/bin/env", "ASAN_OPTIONS=%s:quarantine_size_mb=0:"
            "thread_local_quarantine_size_kb=0" %
            sanitizer_environment()["ASAN_OPTIONS"]]
