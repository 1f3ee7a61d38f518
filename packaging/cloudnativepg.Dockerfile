# An image of the extension alone, for CloudNativePG's image volumes (PostgreSQL 18 and newer find
# extensions in several folders): lib/ and share/extension/, and nothing that runs.
# Linted (hadolint), but neither built nor run by the tests.
#
#	docker build -f packaging/cloudnativepg.Dockerfile --build-arg PG_MAJOR=18 -t capforecast-extension:18 .
#
#	postgresql:
#	  extensions:
#	  - name: capforecast
#	    image: { reference: capforecast-extension:18 }
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
 && make install DESTDIR=/stage with_llvm=no \
 && mkdir -p /image/lib /image/share/extension /image/licenses/capforecast \
 && cp "/stage/usr/lib/postgresql/${PG_MAJOR}/lib/capforecast.so" /image/lib/ \
 && cp "/stage/usr/share/postgresql/${PG_MAJOR}/extension/"capforecast* /image/share/extension/ \
 && cp LICENSE /image/licenses/capforecast/

FROM scratch
COPY --from=build /image/ /
USER 65532:65532
