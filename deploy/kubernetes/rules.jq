# What the manifests of an overlay must keep to beyond their schemas and kube-score. The
# input is the array of its objects, the output a sentence for each broken rule.
def kind($k): map(select(.kind == $k));
def pods: map(select(.spec.template?) | {name: .metadata.name} + .spec.template.spec);

pods as $pods | kind("Deployment") as $programs | kind("NetworkPolicy") as $policies
| [
  ["pods get no token and no variables of Services",
    all($pods[]; .automountServiceAccountToken == false and .enableServiceLinks == false)],
  ["pods run as the restricted Pod Security Standard wants",
    all($pods[]; .securityContext.runAsNonRoot and all(.containers[].securityContext;
      .allowPrivilegeEscalation == false and .capabilities.drop == ["ALL"] and .readOnlyRootFilesystem))],
  ["there are two programs", ($programs | length) == 2],
  ["an update starts a pod before it stops one", all($programs[]; .spec.strategy.rollingUpdate.maxUnavailable == 0)],
  ["probes ask the admin port, and only readiness depends on Redis",
    all($programs[].spec.template.spec.containers[] | (.startupProbe, .livenessProbe); .httpGet == {path: "/livez", port: "admin"})
    and all($programs[].spec.template.spec.containers[]; .readinessProbe.httpGet == {path: "/readyz", port: "admin"})],
  ["pods are spread over machines and zones",
    all($programs[]; .spec.template.metadata.labels["app.kubernetes.io/component"] as $own
      | .spec.template.spec.topologySpreadConstraints
      | length == 2 and all(.[]; .labelSelector.matchLabels["app.kubernetes.io/component"] == $own))],
  ["budgets let nodes be drained", all(kind("PodDisruptionBudget")[]; .spec.maxUnavailable >= 1)],
  ["a policy denies what no other allows", any($policies[].spec;
    .podSelector == {matchLabels: {"app.kubernetes.io/part-of": "orderprocessor"}} and (.policyTypes | sort) == ["Egress", "Ingress"]
    and has("ingress") == false and has("egress") == false)],
  ["policies name who comes in, and the ports", all($policies[].spec;
    all(.ingress[]?; (.from | length) > 0 and (.ports | length) > 0 and all(.from[][]; length > 0)) and all(.egress[]?; (.ports | length) > 0))],
  ["workers alone reach the shop", [$policies[].spec | select(any(.egress[]?.ports[]; .port == 443))
    | .podSelector.matchLabels["app.kubernetes.io/component"]] == ["worker"]],
  ["both programs find names, Redis and Sentinel", any($policies[].spec; [.egress[]?.ports[].port] | contains([53, 6379, 26379]))],
  ["policies open ports that the programs have", ([$policies[].spec.ingress[]?.ports[].port] - [$pods[].containers[].ports[].name]) == []],
  ["Services name ports that the pods have", ([kind("Service")[].spec.ports[].targetPort] - [$pods[].containers[].ports[].name]) == []],
  ["no Secret holds a password", all(kind("Secret")[]; .stringData == null and all(.data[]?; @base64d | test("@|whsec") | not))],
  ["one autoscaler sets the replicas of a program, two or more", (map(select(.kind == "HorizontalPodAutoscaler" or .kind == "ScaledObject"))
    | (map(.spec.scaleTargetRef.name) | length == (unique | length) and (. - [$programs[].metadata.name]) == [])
    and all(.[].spec; (.minReplicas // .minReplicaCount) >= 2 and (.maxReplicas // .maxReplicaCount) > (.minReplicas // .minReplicaCount))
    and (([.[].spec.scaleTargetRef.name] - [$programs[] | select(.spec.replicas == null) | .metadata.name]) == []))],
  ["the autoscaler of workers asks the API of its own namespace", (map(select(.kind == "Service" and .metadata.name == "orderprocessor-api").metadata.namespace)[0]) as $namespace
    | all(kind("ScaledObject")[].spec.triggers[].metadata.url; . == "http://orderprocessor-api.\($namespace)/stats")],
  ["the Ingress takes batches of 16 MiB and hands events on", all(kind("Ingress")[].metadata.annotations | with_entries(.key |= ltrimstr("nginx.ingress.kubernetes.io/"));
    (.["proxy-body-size"] | rtrimstr("m") | tonumber) > 16 and .["proxy-buffering"] == "off" and (.["proxy-read-timeout"] | tonumber) >= 30)],
  ["a Redis keeps its data on the volume and answers other pods", all(kind("StatefulSet")[].spec.template.spec.containers[];
    (.command | join(" ") | contains("--dir /data --bind * -::* --protected-mode no")) and any(.volumeMounts[]; .mountPath == "/data"))]
] | .[] | select(.[1] | not) | .[0]
