# A minikube runs once it was started.
print() {
  while IFS= read -r line || [ -n "$line" ]; do printf '%s\n' "$line"; done <"$1"
}
case "$*" in
version*) echo '{"minikubeVersion":"v1.38.1"}' ;;
"profile list"*) print "$FAKES/profiles" ;;
start*)
  cp "$FAKES/made/profiles" "$FAKES/profiles"
  rm -f "$FAKES/stopped"
  ;;
ip*) echo 192.168.49.2 ;;
"addons enable ingress"*) cp -R "$FAKES/made/addon-ingress/." "$FAKES/objects" ;;
*delete*) rm -f "$FAKES/profiles" ;;
esac
