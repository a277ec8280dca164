# syntax=docker/dockerfile:1

# The bundle is the same for every platform: built once, on the builder's own.
FROM --platform=$BUILDPLATFORM node:24-bookworm-slim AS build
WORKDIR /carm-webhook
COPY package.json package-lock.json ./
# The image brings Node.js: the scripts that would download it, or check esbuild's binary, are not needed.
RUN npm ci --no-audit --no-fund --ignore-scripts
COPY tsconfig.json ./
COPY .ci/bundle.ts .ci/
COPY src src
RUN node .ci/bundle.ts

# No shell, no package manager, no node_modules: https://github.com/GoogleContainerTools/distroless
FROM gcr.io/distroless/nodejs24-debian12:nonroot
WORKDIR /carm-webhook
COPY LICENSE CHANGELOG.md ./
COPY --from=build /carm-webhook/dist/ ./
# One arena for malloc, and a small young generation: a flood of large bodies takes a third less memory, for 5 % more CPU.
# https://nodejs.org/api/cli.html#--max-semi-space-sizesize-in-mib
ENV NODE_ENV=production MALLOC_ARENA_MAX=1 NODE_OPTIONS=--max-semi-space-size=4
# 65532 is distroless' nonroot; by number, so that runAsNonRoot can be checked.
USER 65532:65532
EXPOSE 8443 8080
ENTRYPOINT ["/nodejs/bin/node", "/carm-webhook/carm-webhook.mjs"]
CMD ["serve"]
