import type { DescFile, DescService } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import { Code } from "@connectrpc/connect";
import { file_google_rpc_error_details as ERROR_DETAILS } from "#gen/google/rpc/error_details_pb.ts";
import {
  ServerReflection,
  type ServerReflectionRequest,
} from "#gen/grpc/reflection/v1/reflection_pb.ts";
import {
  type ServerReflectionRequest as AlphaRequest,
  ServerReflection as ServerReflectionAlpha,
} from "#gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { type DescriptorIndex, indexDescriptors, serialized } from "./descriptors.ts";

/** Both versions: older grpcurl, Postman and k6 know only v1alpha. Their messages differ in nothing but the package. */
export const reflectionServices: readonly DescService[] = [ServerReflection, ServerReflectionAlpha];

type Question = ServerReflectionRequest["messageRequest"] | AlphaRequest["messageRequest"];

/** Lets clients ask for the contracts of the services on this port. */
export function reflectionRoutes(router: ConnectRouter, services: readonly DescService[]): void {
  // No service imports the details of errors, yet a client that shows an error asks for them.
  const index = indexDescriptors([...services.map(({ file }) => file), ERROR_DETAILS]);
  const names = services.map((service) => service.typeName).sort();
  router.service(ServerReflection, {
    async *serverReflectionInfo(requests) {
      for await (const request of requests) {
        const messageResponse = answer(index, names, request.messageRequest);
        yield { validHost: request.host, originalRequest: request, messageResponse };
      }
    },
  });
  router.service(ServerReflectionAlpha, {
    async *serverReflectionInfo(requests) {
      for await (const request of requests) {
        const messageResponse = answer(index, names, request.messageRequest);
        yield { validHost: request.host, originalRequest: request, messageResponse };
      }
    },
  });
}

function answer(index: DescriptorIndex, names: readonly string[], question: Question) {
  switch (question.case) {
    case "listServices":
      return known("listServicesResponse", { service: names.map((name) => ({ name })) });
    case "fileByFilename":
      return files(index.fileByName(question.value), question.value);
    case "fileContainingSymbol":
      return files(index.fileOfSymbol(question.value), question.value);
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = question.value;
      const file = index.fileOfExtension(containingType, extensionNumber);
      return files(file, `${containingType} ${extensionNumber}`);
    }
    case "allExtensionNumbersOfType": {
      const numbers = index.extensionNumbers(question.value);
      if (numbers === undefined) return failure(Code.NotFound, `not found: ${question.value}`);
      return known("allExtensionNumbersResponse", {
        baseTypeName: question.value,
        extensionNumber: numbers,
      });
    }
    case undefined:
      return failure(Code.InvalidArgument, "the request asks nothing");
  }
}

function files(file: DescFile | undefined, name: string) {
  if (file === undefined) return failure(Code.NotFound, `not found: ${name}`);
  return known("fileDescriptorResponse", { fileDescriptorProto: serialized(file) });
}

function failure(errorCode: Code, errorMessage: string) {
  return known("errorResponse", { errorCode, errorMessage });
}

function known<const C extends string, V>(name: C, value: V): { case: C; value: V } {
  return { case: name, value };
}
