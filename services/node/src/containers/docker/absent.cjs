/** Stands for parts of the Docker client that are not shipped. */
exports.Client = function () {
  throw new Error("the Docker Engine has to be on this machine: DOCKER_HOST cannot be an ssh address");
};
