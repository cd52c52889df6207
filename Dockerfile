# Judge and archiver: `docker compose up`. The Kafka next to them is in docker-compose.yml.
FROM python:3.12-slim AS build
WORKDIR /src
COPY requirements/build.txt requirements/
RUN pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements/build.txt
COPY . .
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels .

FROM python:3.12-slim
COPY requirements/runtime.txt /tmp/runtime.txt
RUN pip install --no-cache-dir --require-hashes --only-binary :all: -r /tmp/runtime.txt
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir --no-deps --no-index --find-links /wheels sluicegate && rm -r /wheels
RUN useradd --uid 10001 --create-home sluicegate \
 && mkdir -p /var/lib/sluicegate \
 && chown sluicegate /var/lib/sluicegate
USER sluicegate
# Archive, keys and trust file; keep it on a volume.
ENV SLUICEGATE_HOME=/var/lib/sluicegate
VOLUME /var/lib/sluicegate
ENTRYPOINT ["sluicegate"]
