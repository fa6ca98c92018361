# A small API server. An object is a file of one line in objects/NAMESPACE, named
# after its kind and itself; what has no namespace is in objects/-. What a manifest
# or a chart makes lies in made/NAME until it is applied.
print() {
  while IFS= read -r line || [ -n "$line" ]; do printf '%s\n' "$line"; done <"$1"
}

# Keeps the object in $1.
put() {
  kind=${1#*\"kind\":\"} kind=${kind%%\"*}
  case $kind in
  ConfigMap) kind=configmap ;;
  Secret) kind=secret ;;
  # Its pods are up at once.
  Deployment)
    kind=deployment
    case $1 in
    *\"sigstore-workshop/published\":*)
      published=${1#*\"sigstore-workshop/published\":\"} published=${published%%\"*}
      pod='{"kind":"Pod","metadata":{"name":"tuf","namespace":"default","labels":{"app.kubernetes.io/name":"tuf"}'
      printf '%s\n' "$pod,\"annotations\":{\"sigstore-workshop/published\":\"$published\"}},\"status\":{\"phase\":\"Running\"}}" >"$FAKES/objects/default/pod.tuf"
      ;;
    esac
    set -- "{\"status\":{\"replicas\":1,\"updatedReplicas\":1,\"availableReplicas\":1},${1#\{}"
    ;;
  esac
  meta=${1#*\"metadata\":\{}
  name=${meta#*\"name\":\"} name=${name%%\"*}
  space=${meta#*\"namespace\":\"} space=${space%%\"*}
  mkdir -p "$FAKES/objects/$space"
  # The server encodes what was handed over as text.
  case $1 in *\"stringData\"*) set -- "${1%%\"stringData\"*}\"data\"${1#*\"stringData\"}" ;; esac
  # It says since when the object is there.
  made='"metadata":{"creationTimestamp":"2026-01-02T03:04:06Z",'
  case $1 in
  *\"creationTimestamp\"*) ;;
  *) set -- "${1%%\"metadata\":\{*}$made${1#*\"metadata\":\{}" ;;
  esac
  printf '%s\n' "$1" >"$FAKES/objects/$space/$kind.$name"
}

# Whether the selector chooses the object in $1.
chosen() {
  rest=$selector,
  while [ "$rest" != , ] && [ -n "$rest" ]; do
    one=${rest%%,*} rest=${rest#*,}
    case $one in
    *!=*) case $1 in *"\"name\":\"${one#*!=}\""*) return 1 ;; esac ;;
    !*) case $1 in *"\"${one#!}\":"*) return 1 ;; esac ;;
    *) case $1 in *"\"${one%%=*}\":\"${one#*=}\""*) ;; *) return 1 ;; esac ;;
    esac
  done
}

# The files of the objects of the kinds in $1.
find() {
  files=
  IFS=,
  for kind in $1; do
    kind=${kind%%.*}
    case $kind in *classes | ingresses) kind=${kind%es} ;; *s) kind=${kind%s} ;; esac
    unset IFS
    for file in "$FAKES/objects/"$namespace/"$kind".*; do
      [ -f "$file" ] || continue
      IFS= read -r line <"$file"
      chosen "$line" && files="$files $file"
    done
    IFS=,
  done
  unset IFS
}

verb=$1 words='' namespace=- selector='' manifests='' dry='' raw='' context=''
shift
while [ $# -gt 0 ]; do
  case $1 in
  --namespace) namespace=$2 && shift ;;
  --namespace=*) namespace=${1#*=} ;;
  --all-namespaces) namespace='*' ;;
  --selector=*) selector=${1#*=} ;;
  --filename) manifests="$manifests $2" && shift ;;
  --dry-run=server) dry=yes ;;
  --raw=*) raw=${1#*=} ;;
  --context) context=$2 && shift ;;
  --field-manager | --address | --container | --type | --patch-file) shift ;;
  --*) ;;
  *) words="$words $1" ;;
  esac
  shift
done
set -f
set -- $words
set +f
IFS= read -r known <"$FAKES/context" || :
case $context in
'') ;;
"$known")
  if [ -f "$FAKES/stopped" ]; then
    echo 'The connection to the server 192.168.49.2:8443 was refused - did you specify the right host or port?' >&2
    exit 1
  fi
  ;;
*)
  echo "error: context \"$context\" does not exist" >&2
  exit 1
  ;;
esac
case $verb in
version) print "$FAKES/version" ;;
config) print "$FAKES/context" ;;
get)
  case $1 in
  '')
    case $raw in
    # Rekor v1 holds an entry already.
    */proxy/api/v1/log) echo '{"treeSize":1}' ;;
    *) print "$FAKES/discovery" ;;
    esac
    ;;
  */*)
    file="$FAKES/objects/$namespace/${1%%/*}.${1#*/}"
    [ ! -f "$file" ] || print "$file"
    ;;
  *)
    find "$1"
    list='' comma=''
    for file in $files; do
      IFS= read -r line <"$file"
      list="$list$comma$line" comma=,
    done
    printf '%s\n' "{\"items\":[$list]}"
    ;;
  esac
  ;;
apply)
  for file in $manifests; do
    [ -z "$dry" ] || continue
    if [ "$file" = - ]; then
      IFS= read -r line || :
      case $line in
      # What an ingress shows, with its certificates.
      *'"kind":"List"'*)
        cp -R "$FAKES/made/list/." "$FAKES/objects"
        host=${line#*\"host\":\"} label='"app.kubernetes.io/part-of":"sigstore-workshop"'
        printf '%s\n' "{\"kind\":\"Ingress\",\"metadata\":{\"name\":\"tuf\",\"labels\":{$label}},\"spec\":{\"rules\":[{\"host\":\"${host%%\"*}\"}]}}" >"$FAKES/objects/default/ingress.tuf"
        ;;
      *) put "$line" ;;
      esac
    elif [ -d "$FAKES/made/${file##*/}" ]; then
      cp -R "$FAKES/made/${file##*/}/." "$FAKES/objects"
    fi
  done
  ;;
create)
  if [ "$1" = token ]; then
    print "$FAKES/token"
  elif [ "$manifests" = ' -' ]; then
    IFS= read -r line || :
    put "$line"
  else
    # A Job ends at once, as the test said.
    job=${manifests##*/} job=${job%.yml}
    cp $manifests "$FAKES/job.yml"
    ls -l $manifests >"$FAKES/job-mode"
    IFS= read -r end <"$FAKES/job-end"
    printf '%s\n' "{\"kind\":\"Job\",\"metadata\":{\"name\":\"$job\"},\"status\":{\"conditions\":[{\"type\":\"$end\",\"status\":\"True\",\"message\":\"BackoffLimitExceeded\"}]}}" >"$FAKES/objects/default/job.$job"
    printf '%s\n' "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"$job-x\",\"labels\":{\"batch.kubernetes.io/job-name\":\"$job\"}},\"status\":{\"containerStatuses\":[{\"name\":\"cosign\",\"state\":{\"terminated\":{\"exitCode\":0}}}]}}" >"$FAKES/objects/default/pod.$job"
  fi
  ;;
logs)
  for word in "$@"; do :; done
  case $word in
  job/*) print "$FAKES/job-log" ;;
  *) [ ! -f "$FAKES/logs/${word#*/}" ] || print "$FAKES/logs/${word#*/}" ;;
  esac
  ;;
delete)
  case $1 in
  */*) rm -f "$FAKES/objects/$namespace/${1%%/*}.${1#*/}" ;;
  *)
    case $1 in namespace) rm -rf "$FAKES/objects/$2" "$FAKES/objects/-/namespace.$2" && exit ;; esac
    find "$1"
    rm -f $files
    # What is in a namespace goes with it.
    for file in $files; do
      case $file in */-/namespace.*) rm -rf "$FAKES/objects/${file##*/namespace.}" ;; esac
    done
    ;;
  esac
  ;;
# What is changed, a test puts there itself.
patch) IFS= read -r line || : ;;
port-forward) exec /bin/sleep 300 ;;
esac
