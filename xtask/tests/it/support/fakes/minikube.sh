# A minikube runs once it was started. Its node has the images in the file pulled.
print() {
  while IFS= read -r line || [ -n "$line" ]; do printf '%s\n' "$line"; done <"$1"
}
case "$*" in
version*) echo '{"minikubeVersion":"v1.38.1"}' ;;
"config get"*)
  echo 'Error: specified key could not be found in config' >&2
  exit 1
  ;;
"config defaults"*) echo '["v1.35.1","v1.35.0","v1.34.4"]' ;;
"profile list"*) print "$FAKES/profiles" ;;
start*)
  cp "$FAKES/made/profiles" "$FAKES/profiles"
  rm -f "$FAKES/stopped"
  ;;
ip*) echo 192.168.49.2 ;;
*"crictl images"*)
  printf '{"images":['
  between=
  if [ -f "$FAKES/pulled" ]; then
    while IFS= read -r image; do
      printf '%s{"repoTags":null,"repoDigests":["%s"]}' "$between" "$image"
      between=,
    done <"$FAKES/pulled"
  fi
  echo ']}'
  ;;
*"crictl pull"*)
  for image in "$@"; do :; done
  printf '%s\n' "$image" >>"$FAKES/pulled"
  ;;
"addons enable ingress"*) cp -R "$FAKES/made/addon-ingress/." "$FAKES/objects" ;;
*delete*) rm -f "$FAKES/profiles" ;;
esac
