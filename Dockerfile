# redis-ambassador as an image. BASE is any image with Node >= 20.19 and npm; the build in .ci/image
# passes one made on the spot, where no registry can be reached.
ARG BASE=node:24-slim

# What the product needs at run time, and nothing that ran a script to get there.
FROM ${BASE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM dependencies AS build
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json bundle.js ./
COPY lib ./lib
RUN npm run -s build

FROM ${BASE}
LABEL org.opencontainers.image.title="redis-ambassador" \
      org.opencontainers.image.description="A RESP-aware Redis sidecar proxy with sharding" \
      org.opencontainers.image.licenses="MIT"
WORKDIR /app
COPY package.json ./
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY lib/admin/dashboard ./lib/admin/dashboard
COPY config ./config
# A process that has served leaves what V8 has compiled: containers start from it, whoever they run as.
RUN warm="--listen unix:/tmp/warm --admin-listen off --shards a=127.0.0.1:1"; \
    node dist/bin.js $warm & until node dist/bin.js healthcheck $warm; do :; done && kill $! && wait $!
# Containers of one pod share their loopback, so the default address serves a sidecar. In a network of
# containers (compose) set AMBASSADOR_LISTEN=[::]:6379, which is there for IPv4 as well.
ENV NODE_ENV=production
EXPOSE 6379 9380
# A number, so that Kubernetes can see that it is not root; 1000 is `node` in the official images.
USER 1000:1000
HEALTHCHECK --interval=5s --timeout=3s --start-period=5s --retries=3 \
  CMD ["node", "dist/bin.js", "healthcheck"]
ENTRYPOINT ["node", "dist/bin.js"]
