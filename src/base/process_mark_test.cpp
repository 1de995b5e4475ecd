#include "base/process_mark.h"

#include <csignal>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace maquette {
namespace {

std::string mark_of(pid_t process) {
  const std::string own = process_mark();
  return own.substr(0, own.find('-') + 1) + std::to_string(process);
}

TEST(ProcessMark, FindsWhoRunsAndWhoIsGone) {
  EXPECT_EQ(find_process(process_mark()), Whereabouts::here);
  EXPECT_EQ(mark_of(::getpid()), process_mark());
  EXPECT_EQ(find_process(mark_of(1)), Whereabouts::here);
  const pid_t child = ::fork();
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  EXPECT_EQ(find_process(mark_of(child)), Whereabouts::here);
  ::kill(child, SIGKILL);
  siginfo_t how{};
  ::waitid(P_PID, static_cast<id_t>(child), &how, WEXITED | WNOWAIT);
  EXPECT_EQ(find_process(mark_of(child)), Whereabouts::gone) << "nobody has asked how it ended";
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(find_process(mark_of(child)), Whereabouts::gone);
}

TEST(ProcessMark, KnowsNothingOfOthers) {
  for (const char* mark :
       {"", "-", "1", "00000000-1", "00000000-", "x-y-z", "01a20a00-0000-7000-8000-000000000062"})
    EXPECT_EQ(find_process(mark), Whereabouts::elsewhere) << mark;
  EXPECT_EQ(find_process(mark_of(0)), Whereabouts::elsewhere);
  EXPECT_EQ(find_process(mark_of(-1)), Whereabouts::elsewhere);
  EXPECT_EQ(find_process(mark_of(1) + "x"), Whereabouts::elsewhere);
}

}  // namespace
}  // namespace maquette
