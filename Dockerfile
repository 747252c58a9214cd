# One image for every service: `command: node services/<name>/main.ts` chooses which one runs.
# Debian and not Alpine: Temporal's native core is built against glibc.
FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The image brings Node 24 itself, so the copy that npm installs for other machines (190 MB) is dropped.
RUN npm ci --omit=dev --ignore-scripts && rm -rf node_modules/node-linux-*

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json package-lock.json ./
COPY gen ./gen
COPY services ./services
# The command line, for `docker compose run --rm cli`.
COPY tools ./tools
# The edge serves it.
COPY docs/api/openapi.yaml ./docs/api/openapi.yaml
# Workflow bundles are cached here; everything else of the image is read-only at run time.
RUN mkdir -p node_modules/.cache && chown node:node node_modules/.cache
USER node
# No default command: a container that does not say which service it is does not start.
CMD ["node", "--eval", "console.error('say which service: node services/<name>/main.ts'); process.exit(1)"]
