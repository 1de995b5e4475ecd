// The table of measured kernels (kernels/choice.h) on disk: one file in the cache folder for each processor,
// number of threads and build of the program, since each of them decides what is fast.
#pragma once

#include <filesystem>

namespace maquette::app {

// For this processor, this build and the threads of now; empty where there is no cache folder.
std::filesystem::path kernel_table_file();

// Gives the kernels the table of that file. Whoever computes calls it first; it reads a file once and is
// quick after that. A file that is damaged or was made elsewhere is ignored, with a warning.
void use_kernel_table();

// Writes the table as it is now. Throws Error where the file cannot be written.
void save_kernel_table();

// Deletes the file and forgets the table; says whether there was one.
bool forget_kernel_table();

}  // namespace maquette::app
