# Every target does its own set-up. All that must be there is make, npm and Node.js 18 or later: npm brings the
# Node.js that the project runs on. (e2e also needs Go or KUBEBUILDER_ASSETS, aws-e2e Go, Python and Linux. image needs a container engine; without one it
# makes an archive for tests, which needs Linux and GNU tar.)

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

BIN := $(CURDIR)/node_modules/.bin
export PATH := $(BIN):$(PATH)

INSTALLED := node_modules/.installed
BUNDLE := dist/carm-webhook.mjs
SOURCES := $(shell find src -name '*.ts') .ci/bundle.ts package.json tsconfig.json
IMAGE ?= carm-webhook:dev
IMAGE_ARCHIVE := image/carm-webhook.oci.tar
TEST_IMAGE_ARCHIVE := image/carm-webhook-test.oci.tar
CONTAINER_ENGINE ?= docker
# The platform of this machine, as images name it. The last stage of the Dockerfile only copies, so another one needs no emulator.
PLATFORM ?= linux/$(subst x86_64,amd64,$(subst aarch64,arm64,$(shell uname -m)))
RELEASE_PLATFORMS := linux/amd64,linux/arm64

.PHONY: help
help: ## Show this help
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: tools
tools:
	@command -v npm >/dev/null || { echo 'npm is missing: install Node.js 18 or later, npm comes with it (https://nodejs.org/en/download)' >&2; exit 2; }
	@command -v node >/dev/null || { echo 'node is missing: install Node.js 18 or later (https://nodejs.org/en/download)' >&2; exit 2; }
	@node -e 'process.exit(parseInt(process.versions.node) >= 18 ? 0 : 1)' || { echo "Node.js 18 or later is needed, this is $$(node --version) (https://nodejs.org/en/download)" >&2; exit 2; }

$(INSTALLED): package.json package-lock.json | tools
	@echo 'Installing the packages of package-lock.json ...'
	@npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(BUNDLE): $(INSTALLED) $(SOURCES)
	@npm run --silent build

.PHONY: build
build: $(BUNDLE) ## Build dist/carm-webhook.mjs

.PHONY: demo
demo: $(BUNDLE) ## See pods injected and denied by a real server
	@npm run --silent demo

.PHONY: test
test: $(BUNDLE) ## Run the tests that need no cluster
	@npm test --silent

.PHONY: coverage
coverage: $(INSTALLED) ## Check that tests run 98 % of the lines of the pure folders
	@npm run --silent coverage

.PHONY: lint
lint: $(INSTALLED) ## Check style and types
	@npm run --silent lint
	@npm run --silent types

.PHONY: format
format: $(INSTALLED) ## Format the sources
	@npm run --silent format

.PHONY: bench
bench: $(BUNDLE) ## Measure pods and ACK resources (AGAINST=COMMIT: compared with the build of another commit)
	@npm run --silent bench -- $(if $(AGAINST),--against $(AGAINST) --seconds 40)
	@echo 'What reviews cost as they grow:'
	@npm run --silent costs

.PHONY: docs
docs: $(INSTALLED) ## Write the pages that are generated from the source
	@npm run --silent docs

.PHONY: helm
helm: $(INSTALLED) ## Build Helm for the tests of the chart, once for all clones (needs Go)
	@node test/testbed/build.ts --helm=v4

.PHONY: chart
chart: helm ## Run the tests of the chart, which `make test` skips where Helm is not built (needs Go)
	@CHART_TESTS=required node --test 'test/deploy/*.test.ts'

.PHONY: manifests
manifests: helm ## Write deploy/install.yaml from the chart
	@npm run --silent manifests

.PHONY: testbed
testbed: $(INSTALLED) ## Build a real control plane for e2e, once for all clones
	@node test/testbed/build.ts

.PHONY: testbed-prometheus
testbed-prometheus: $(INSTALLED) ## Get a Prometheus for e2e, once for all clones (on Debian or Ubuntu; elsewhere put prometheus and promtool on the PATH)
	@node test/prometheus/build.ts

.PHONY: e2e
e2e: $(BUNDLE) testbed testbed-prometheus ## Run the tests on a real kube-apiserver (KUBERNETES=1.30 or 1.33: on that version)
	@npm run --silent e2e

.PHONY: testbed-node
testbed-node: $(INSTALLED) ## Build a real node for e2e-node, with the control plane, once for all clones (needs root on Linux)
	@node test/testbed/build.ts --node

# Behind testbed-node: what this machine lacks is said before anything takes long.
$(TEST_IMAGE_ARCHIVE): $(INSTALLED) $(SOURCES) $(wildcard .ci/image/*.ts) Dockerfile package-lock.json LICENSE CHANGELOG.md | testbed-node
	@node .ci/image/build-image.ts --name carm-webhook:test --output $@

# Those from outside a node's namespaces start nodes of their own, while the first tests inside wait more than they do. Releases come and go
# on a node of their own, where nothing is installed, and afterwards: the others measure.
.PHONY: e2e-node
e2e-node: testbed-node helm $(TEST_IMAGE_ARCHIVE) ## Run the tests on a real node (needs root on Linux; NODE_TESTS=all for longer)
	@outside_log=$$(mktemp); \
	npm run --silent e2e-node:outside >"$$outside_log" 2>&1 & outside=$$!; \
	trap 'kill "$$outside" 2>/dev/null || true; rm -f "$$outside_log"' EXIT; \
	inside_code=0; npm run --silent e2e-node || inside_code=$$?; \
	npm run --silent e2e-node:release || inside_code=$$?; \
	outside_code=0; wait "$$outside" || outside_code=$$?; \
	cat "$$outside_log"; \
	exit $$((inside_code ? inside_code : outside_code))

.PHONY: testbed-aws
testbed-aws: $(INSTALLED) ## Install an AWS to test against and its clients, once for all clones (needs Go and Python)
	@node test/aws/build.ts

.PHONY: aws-e2e
aws-e2e: $(BUNDLE) testbed testbed-aws ## Run real AWS SDKs in pods, against accounts that judge policies (needs Linux; AWS_TESTS=all: Java too)
	@npm run --silent aws-e2e

.PHONY: siege
siege: $(BUNDLE) ## Attack the built server from loopback in every known way (SIEGE=all, SIEGE_MINUTES=30 for longer)
	@npm run --silent siege

.PHONY: playground
playground: $(if $(NODE),testbed-node $(TEST_IMAGE_ARCHIVE),$(BUNDLE) testbed) ## Start a control plane with the webhook, to try things out until Ctrl-C (NODE=1: pods run)
	@node test/testbed/$(if $(NODE),playground-node.ts,playground.ts)

# An engine that was chosen must be there. Otherwise docker is asked: a client whose daemon does not answer cannot build either.
# Only on Linux is there something to put in an archive.
ifeq ($(filter image,$(MAKECMDGOALS)) $(origin CONTAINER_ENGINE) $(shell uname),image file Linux)
NO_ENGINE := $(shell why=$$(timeout 10 $(CONTAINER_ENGINE) version 2>&1 >/dev/null) || echo "$${why:-$(CONTAINER_ENGINE) failed}")
endif

.PHONY: image
image: ## Build the container image, IMAGE=NAME:TAG PLATFORM=linux/arm64 (without a container engine: an archive for tests)
ifdef NO_ENGINE
image: $(INSTALLED)
	$(info $(CONTAINER_ENGINE) cannot build here ($(NO_ENGINE)). Making an archive for tests instead. To use another engine, such as podman, set CONTAINER_ENGINE to it.)
	@node .ci/image/build-image.ts --name $(IMAGE) --platform $(PLATFORM) --output $(IMAGE_ARCHIVE)
else
	@command -v $(CONTAINER_ENGINE) >/dev/null || { echo '$(CONTAINER_ENGINE) is missing: install it (https://docs.docker.com/engine/install/), or set CONTAINER_ENGINE to another one, such as podman' >&2; exit 2; }
	$(CONTAINER_ENGINE) build --platform $(PLATFORM) --tag $(IMAGE) .
	@echo 'Built $(IMAGE) for $(PLATFORM). For nodes of another platform set PLATFORM, such as PLATFORM=linux/arm64.'
endif

# Of every platform, with what BuildKit attests of each. https://docs.docker.com/build/exporters/oci-docker/
# By the label GitHub shows the image at its repository.
.PHONY: image-release
image-release:
	@mkdir -p release
	docker buildx build --platform $(RELEASE_PLATFORMS) --sbom=true --provenance=mode=max \
	  $(if $(GITHUB_REPOSITORY),--label org.opencontainers.image.source=https://github.com/$(GITHUB_REPOSITORY)) \
	  --output type=oci,dest=release/image.oci.tar .

.PHONY: clean
clean: ## Remove what was built and installed
	rm -rf dist image release node_modules
