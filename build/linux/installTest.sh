#!/bin/bash
# What scripts/installers/installTest.ts has done inside a clean Debian: installs the packages of /debs, uses the program as
# a person who is not root, takes it away again. Each line `ok …` or `not ok …` on stdout counts as one test; what a person
# left lies in /result afterwards.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8
# How often the start is timed; no test.
starts=${1:-0}
settings='/home/person/.config/FiSAO Studio/settings.json'

person=(setpriv --reuid=person --regid=person --clear-groups env HOME=/home/person DISPLAY=:7)
as_person() { "${person[@]}" "$@"; }

check() { # NAME COMMAND...
  local name=$1 output
  shift
  if output=$("$@" 2>&1); then echo "ok $name"; else echo "not ok $name: ${output: -800}"; fi
}

check_code() { # NAME CODE TEXT COMMAND...: ends with the code, and says the text
  local name=$1 code=$2 text=$3 output found
  shift 3
  output=$("$@" 2>&1)
  found=$?
  if [ $found = "$code" ] && [[ $output == *$text* ]]; then echo "ok $name"; else echo "not ok $name: code $found, $output"; fi
}

is_visible() { as_person xdotool search --onlyvisible --name 'FiSAO Studio' >/dev/null 2>&1; }

# Starts the program as the person and waits for its window; the time is in $start_ms afterwards.
open_window() { # NAME ARGUMENTS...
  local name=$1 began
  shift
  began=$(date +%s%N)
  # Not through the function: the process that is ended later has to be the program itself.
  "${person[@]}" fisao-studio "$@" >/tmp/studio.log 2>&1 &
  studio=$!
  for ((i = 0; i < 2000; i++)); do
    if is_visible; then
      start_ms=$((($(date +%s%N) - began) / 1000000))
      echo "ok $name"
      return
    fi
    kill -0 $studio 2>/dev/null || break
    sleep 0.01
  done
  echo "not ok $name: $(tail -c 800 /tmp/studio.log)"
}

close_window() {
  kill $studio 2>/dev/null
  wait $studio 2>/dev/null
  for ((i = 0; i < 100; i++)); do pgrep -f /opt/fisao-studio/studio >/dev/null || return; sleep 0.1; done
}

# The engine's own words are in the log: it has one, and no thread failed in it.
started_threads() {
  local log=/home/person/demo/app-data/logs/studio.log
  test -s $log && ! grep -i 'threads\? ' $log
}

renderers_are_sandboxed() {
  local pid pids
  pids=$(pgrep -f 'studio --type=renderer') || return 1
  for pid in $pids; do
    # A filter for system calls, in a process namespace of its own.
    grep -q '^Seccomp:[[:space:]]*2' "/proc/$pid/status" || return 1
    [ "$(readlink "/proc/$pid/ns/pid")" != "$(readlink /proc/self/ns/pid)" ] || return 1
  done
}

waits_for() { # COMMAND...: until it is so
  for ((i = 0; i < 200; i++)); do "$@" && return 0; sleep 0.1; done
  return 1
}

# --- it installs

useradd --create-home person
mkdir -p /tmp/.X11-unix && chmod 1777 /tmp/.X11-unix
chown -R person /result
check 'the packages install' dpkg -i /debs/fisao-studio_*.deb /debs/fisao-studio-run_*.deb
check 'nobody but root can change the program' test -z "$(find /opt/fisao-studio ! -type l \( ! -user root -o -perm /022 \))"
check 'the desktop entry is valid' desktop-file-validate /usr/share/applications/fisao-studio.desktop
check '.fisao is a type that the program opens' grep -qF 'application/x-fisao-workspace:*.fisao' /usr/share/mime/globs
# Else it starts anew whenever the last window has closed, and refuses whoever comes in that moment.
Xvfb :7 -screen 0 1280x900x24 -nolisten tcp -noreset >/dev/null 2>&1 &
display=$!
waits_for test -e /tmp/.X11-unix/X7

# --- a person works with it, the sandbox on

check 'the demo runs, recorded by strace' as_person strace -ff --seccomp-bpf -qq -y -s 400 \
  -e 'trace=socket,connect,bind,sendto,sendmsg,sendmmsg,execve' -o /result/trace/trace \
  fisao-studio --demo --out=/home/person/demo --images=8 --steps=4 --held-out=/debs/scenes
check 'the threads that share its work start from the archive' started_threads
cp /home/person/demo/{screenshot.png,summary.json} /result
open_window 'a window opens, with a workspace named as an argument' /home/person/demo/Demo.fisao
check 'its pages are sandboxed' renderers_are_sandboxed
check 'the workspace is open' waits_for grep -qs demo/Demo.fisao "$settings"
close_window

for ((n = 0; n < starts; n++)); do
  open_window 'start' >/dev/null
  echo "start_ms $start_ms"
  close_window
done

# --- what it refuses

check_code 'a debugging switch is refused' 64 'is not one of its switches' as_person timeout 30 fisao-studio --remote-debugging-port=9333
check_code 'it is no Node' 64 'is not one of its switches' as_person timeout 30 env ELECTRON_RUN_AS_NODE=1 fisao-studio --eval=1
check_code 'NODE_OPTIONS loads nothing' 64 'is not one of its switches' \
  as_person timeout 30 env NODE_OPTIONS='--require=/nowhere.js' fisao-studio --inspect
# A namespace in which nobody may make another one, as on machines that forbid it.
cat >/tmp/unprivileged.sh <<'END'
echo 0 >/proc/sys/user/max_user_namespaces
exec setpriv --reuid=person --regid=person --clear-groups timeout 30 fisao-studio
END
# Root of that namespace it is only from the next program on, once the ids are mapped.
unshare --user sh -c 'while [ "$(id -u)" != 0 ]; do sleep 0.05; done; exec sh /tmp/unprivileged.sh' >/tmp/refused.log 2>&1 &
unprivileged=$!
sleep 0.3
echo '0 0 65536' >/proc/$unprivileged/uid_map
echo '0 0 65536' >/proc/$unprivileged/gid_map
refused() { wait $unprivileged; echo "code $?"; cat /tmp/refused.log; }
refused >/tmp/refused.txt
check 'where it cannot build its sandbox it says what to do' grep -Pzoq 'code 69\n(.|\n)*sudo chmod 4755' /tmp/refused.txt

# --- the same work without a window

kill $display
if [ -e /opt/fisao-studio/resources/app.asar.unpacked/out/headless/run.js ]; then
  run() { as_person env -u DISPLAY fisao-studio-run "$@"; }
  check 'the command says what it does' run --help
  check 'the command exports what the window aligned' run export /home/person/demo/Demo.fisao --step last --out /home/person/first
  check 'the command carries out the job of that export' run /home/person/first/run.json --out /home/person/again.fisao
  check 'and exports it' run export /home/person/again.fisao --step last --out /home/person/second
  check 'the same bytes with and without a window' \
    cmp /home/person/first/adapter/adapter_model.safetensors /home/person/second/adapter/adapter_model.safetensors
fi

# --- it goes, and a person's work stays

check 'the packages go' dpkg --remove fisao-studio-run fisao-studio
check 'nothing of the program is left' test ! -e /opt/fisao-studio -a ! -e /usr/bin/fisao-studio -a ! -e /usr/bin/fisao-studio-run
check 'workspace and settings are left' test -s /home/person/demo/Demo.fisao -a -s "$settings"
