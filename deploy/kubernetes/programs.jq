# What a Deployment gives its program, for the Go test of deploy: one object a line. The
# input is the array of an overlay's objects, $example[0] that of secrets.example.yaml. A variable from a Secret has its value there, and fails without one.
def maps: map(select(.kind == "ConfigMap")) | INDEX(.metadata.name);
# The values of each Secret by its name.
def secrets: map(select(.kind == "Secret") | {key: .metadata.name, value: (.stringData // (.data | map_values(@base64d)))}) | from_entries;

maps as $maps | (($example[0] | secrets) + secrets) as $secrets
| .[] | select(.kind == "Deployment") | .metadata.name as $name | .spec.template.spec as $pod | $pod.containers[]
| {
  where: "\($where) \($name)", program: .name,
  environment: (
    ([.envFrom[]?.configMapRef.name | $maps[.].data // error("\($name) needs a ConfigMap that is not there")] | add // {})
    + ([.env[]? | {key: .name, value: (.value // (.valueFrom.secretKeyRef as $ref
        | $secrets[$ref.name][$ref.key] // error("\($name) needs the key \($ref.key) of a Secret \($ref.name)")))}] | from_entries)),
  files: [.volumeMounts[]? as $mount | $pod.volumes[] | select(.name == $mount.name).secret | .secretName as $from | .items[]? as $item
    | select($secrets[$from] | has($item.key)) | "\($mount.mountPath)/\($item.path)"],
  memory: .resources.limits.memory, sleep_seconds: (.lifecycle.preStop.sleep.seconds // 0),
  grace_seconds: $pod.terminationGracePeriodSeconds
}
