#!/bin/sh
# Prints the alerts of deploy/prometheus/rules/alerts.yml as a PrometheusRule, for a
# cluster that runs the Prometheus operator:
#
#   deploy/kubernetes/prometheus-rule.sh kube-prometheus-stack | kubectl -n orderprocessor apply -f -
#
# The argument is the value of the label "release", by which most operators select rules.
# The links of the alerts need the external label orders_runbook: docs/DEPLOYMENT.md.
set -eu
cat <<END
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: orderprocessor
  labels:
    app.kubernetes.io/part-of: orderprocessor
    release: ${1:?usage: prometheus-rule.sh RELEASE}
spec:
END
sed 's/^/  /' "$(dirname "$0")/../prometheus/rules/alerts.yml"
