# The action, the GitLab job and the Jenkins step run this one image. It has a shell, needs neither HOME nor a
# writable file system, and works as any user: GitHub wants root here and forbids USER, Jenkins brings its own uid.
ARG BASE_IMAGE=python:3.13-slim

FROM ${BASE_IMAGE} AS build
COPY requirements.txt /src/
RUN python3 -m venv /opt/progressive-ci \
 && /opt/progressive-ci/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --no-compile \
      --requirement /src/requirements.txt
COPY pyproject.toml README.md LICENSE /src/
COPY progressive_ci /src/progressive_ci
RUN /opt/progressive-ci/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-index \
      --no-build-isolation --no-compile /src \
 && /opt/progressive-ci/bin/pip uninstall --quiet --yes setuptools pip \
 && python3 -m compileall -q --invalidation-mode unchecked-hash /opt/progressive-ci/lib

FROM ${BASE_IMAGE}
ENV PATH=/opt/progressive-ci/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
COPY --from=build /opt/progressive-ci /opt/progressive-ci
COPY --chmod=755 entrypoint.py /entrypoint.py
RUN ln -s /entrypoint.py /progressive-ci-post
ENTRYPOINT ["/entrypoint.py"]
