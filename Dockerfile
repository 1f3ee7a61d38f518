# PostgreSQL with capforecast and pg_cron.
# Linted (hadolint), but neither built nor run by the tests.
#
#	docker build --build-arg PG_MAJOR=18 -t capforecast .
#	docker run -e POSTGRES_PASSWORD=... capforecast
ARG PG_MAJOR=18
ARG DISTRO=bookworm

FROM postgres:${PG_MAJOR}-${DISTRO} AS build
ARG PG_MAJOR
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends make gcc libc6-dev "postgresql-server-dev-${PG_MAJOR}"
COPY . /src
WORKDIR /src
RUN make with_llvm=no \
 && make install DESTDIR=/stage with_llvm=no

FROM postgres:${PG_MAJOR}-${DISTRO}
ARG PG_MAJOR
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends "postgresql-${PG_MAJOR}-cron" \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /stage/usr/ /usr/
COPY README.md SECURITY.md LICENSE /usr/share/doc/capforecast/
# pg_cron works in one database of a server: the one that the image makes.
CMD ["postgres", "-c", "shared_preload_libraries=pg_cron", "-c", "cron.use_background_workers=on", "-c", "cron.database_name=postgres"]
