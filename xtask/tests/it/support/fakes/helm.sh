# A release is what its status says. What installing or upgrading a chart makes
# lies in made/VERB-CHART, the release that it becomes in made/VERB-CHART.status.
print() {
  while IFS= read -r line || [ -n "$line" ]; do printf '%s\n' "$line"; done <"$1"
}
verb=$1
shift
case $verb in
version) print "$FAKES/helm-version" ;;
get) print "$FAKES/releases/$2.metadata" ;;
status)
  if [ -f "$FAKES/releases/$1.status" ]; then
    print "$FAKES/releases/$1.status"
  else
    echo "Error: release: not found" >&2
    exit 1
  fi
  ;;
pull)
  chart=${1##*/}
  while [ $# -gt 1 ]; do
    case $1 in
    --version) version=$2 ;;
    --destination) place=$2 ;;
    esac
    shift
  done
  if [ ! -d "$place" ]; then
    echo "Error: open $place/$chart-$version.tgz: no such file or directory" >&2
    exit 1
  fi
  : >"$place/$chart-$version.tgz"
  ;;
template)
  if [ ! -e "$2" ]; then
    echo "Error: path \"$2\" not found" >&2
    exit 1
  fi
  print "$FAKES/templates/$1"
  ;;
install | upgrade)
  # More of a release that is there.
  case "$*" in
  *--reuse-values*) verb=more ;;
  *" --set "*) verb=install ;;
  esac
  while case $1 in -*) true ;; *) false ;; esac; do
    [ "$1" != --labels ] || shift
    shift
  done
  if [ ! -e "$2" ]; then
    echo "Error: INSTALLATION FAILED: path \"$2\" not found" >&2
    exit 1
  fi
  mkdir -p "$FAKES/releases"
  cp "$FAKES/made/$verb-$1.status" "$FAKES/releases/$1.status"
  cp "$FAKES/made/$1.metadata" "$FAKES/releases/$1.metadata"
  cp -R "$FAKES/made/$verb-$1/." "$FAKES/objects"
  ;;
uninstall)
  rm -f "$FAKES/releases/$1.status" "$FAKES/releases/$1.metadata"
  rm -f "$FAKES/objects/$3/secret.sh.helm.release.v1.$1.v1" "$FAKES/objects/$3/deployment.$1"*
  ;;
esac
