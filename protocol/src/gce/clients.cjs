// The clients that are used, by path: the package's index loads every client of Compute Engine, 110 MB on disk and two
// seconds. Bundled, these are 2 MB. Types are in clients.d.cts, as far as they are used: the package's own are 33 MB,
// which costs the type checker ten seconds.
const { FirewallsClient } = require("@google-cloud/compute/build/src/v1/firewalls_client.js");
const { GlobalOperationsClient } = require("@google-cloud/compute/build/src/v1/global_operations_client.js");
const { InstancesClient } = require("@google-cloud/compute/build/src/v1/instances_client.js");
const { RegionsClient } = require("@google-cloud/compute/build/src/v1/regions_client.js");
const { ZoneOperationsClient } = require("@google-cloud/compute/build/src/v1/zone_operations_client.js");
const { GoogleAuth, OAuth2Client } = require("google-auth-library");
const gcpMetadata = require("gcp-metadata");

module.exports = { FirewallsClient, GlobalOperationsClient, InstancesClient, RegionsClient, ZoneOperationsClient, GoogleAuth, OAuth2Client, gcpMetadata };
